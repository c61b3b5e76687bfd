"""The ids of our tasks, facts about them that load neither physics nor scenes, and the one reading of their names."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import gymnasium

from chunkenv.errors import ArgumentError, suggest

LEVELS = (
    "grasp_easy",
    "catapult",
    "cartpole_thrust",
    "hard_lunar_lander",
    "mjc_half_cheetah",
    "mjc_swimmer",
    "mjc_walker",
    "h17_unicycle",
    "chain_lander",
    "catcher_v3",
    "trampoline",
    "car_launch",
)
"""The names of the twelve Kinetix levels, in the order of the real-time chunking benchmark."""

TIME_LIMIT = 256
"""Control steps after which an episode of a Kinetix level is truncated."""

ACTION_NOISE = 0.1
"""Standard deviation of the noise on the actions of a Kinetix level, per channel and tick, before clipping: that of the
real-time chunking benchmark."""

POLICY_FAMILIES = ("published", "smooth")
"""The families of flow policies for the levels: from experts that keep exploring, by real-time chunking's recipe, or
from smooth ones."""

POLICIES = "published"
"""The family that studies play with, unless they say another."""

FAMILY_TIME_LIMITS = {
    "cube-single": 200,
    "cube-double": 500,
    "cube-triple": 1000,
    "cube-quadruple": 1000,
    "cube-octuple": 1500,
    "scene": 750,
    "puzzle-3x3": 500,
    "puzzle-4x4": 500,
    "puzzle-4x5": 1000,
    "puzzle-4x6": 1000,
}
"""Control steps after which an episode is truncated, by family of manipulation tasks; as in ogbench."""

FAMILIES = tuple(FAMILY_TIME_LIMITS)
"""The names of the families of manipulation tasks."""

TASKS = (1, 2, 3, 4, 5)
"""The numbers of the tasks that every family has."""


class Task(NamedTuple):
    """One of our tasks.

    Attributes:
        name: the short one: "catapult", "scene-task1"; "scene" where the goal changes with each episode.
        family: of a manipulation task; None: it is a Kinetix level.
        number: of a manipulation task, 1 to 5; None where the goal changes, and of a Kinetix level.

    >>> Task("catapult").id, Task("scene-task1", "scene", 1).id
    ('chunkenv/kinetix-catapult-v0', 'chunkenv/manip-scene-task1-v0')
    """

    name: str
    family: str | None = None
    number: int | None = None

    @property
    def full_name(self) -> str:
        """The name with its kind: "kinetix-catapult", "manip-scene-task1"."""
        return f"kinetix-{self.name}" if self.family is None else f"manip-{self.name}"

    @property
    def level(self) -> str:
        """What datasets and folders call it: "catapult", "manip-scene-task1"."""
        return self.name if self.family is None else self.full_name

    @property
    def id(self) -> str:
        """What `gymnasium.make` takes."""
        return f"chunkenv/{self.full_name}-v0"

    @property
    def box2d_id(self) -> str:
        """The same for a Kinetix level in Box2D, another simulator."""
        return f"chunkenv/{self.full_name}-box2d-v0"


Kind = Literal["Kinetix level", "manipulation task", "goal-conditioned task", "task"]

LEVEL_TASKS = tuple(Task(level) for level in LEVELS)
NUMBERED_TASKS = tuple(Task(f"{family}-task{number}", family, number) for family in FAMILIES for number in TASKS)
GOAL_TASKS = tuple(Task(family, family) for family in FAMILIES)
OF_KIND: dict[str, tuple[Task, ...]] = {
    "Kinetix level": LEVEL_TASKS,
    "manipulation task": NUMBERED_TASKS,
    "goal-conditioned task": GOAL_TASKS,
    "task": (*LEVEL_TASKS, *NUMBERED_TASKS),
}
"""What a command may ask for; a "task" is all that data can be collected of."""

OURS = (*LEVEL_TASKS, *NUMBERED_TASKS, *GOAL_TASKS)
_BY_NAME = {name: task for task in OURS for name in (task.name, task.full_name)}
_BY_LEVEL = {task.level: task for task in OF_KIND["task"]}
_BY_ID = {task.id: task for task in OURS}
_GOAL_TASK_BY_LEVEL = {task.level: task for task in GOAL_TASKS}


def find_task(name: str) -> Task | None:
    """The task of ours that a name or an id means; None for others, and for every other registered id.

    >>> {find_task(name).id for name in ("scene-task1", "manip-scene-task1", "chunkenv/manip-scene-task1-v0")}
    {'chunkenv/manip-scene-task1-v0'}
    >>> find_task("kinetix-catapult").name, find_task("scene").id, find_task("Pendulum-v1")
    ('catapult', 'chunkenv/manip-scene-v0', None)
    """
    if name in gymnasium.registry:
        return _BY_ID.get(name)
    return _BY_NAME.get(_without_version(name))


def read_task(name: str, kind: Kind = "task") -> Task:
    """The task of ours that a name or an id means.

    Raises:
        ArgumentError: it is none of this kind.

    >>> read_task("chunkenv/kinetix-catapult-v0", "Kinetix level").name
    'catapult'
    """
    task = find_task(name)
    if task is None or task not in OF_KIND[kind]:
        raise unknown_task(name, kind)
    return task


def read_id(name: str) -> str:
    """The id of a registered environment, or of a task of ours by any of its names.

    Raises:
        ArgumentError: there is no such environment.

    >>> read_id("Pendulum-v1"), read_id("scene-task1")
    ('Pendulum-v1', 'chunkenv/manip-scene-task1-v0')
    """
    if name in gymnasium.registry:
        return name
    task = find_task(name)
    if task is None:
        raise unknown_task(name)
    return task.id


def task_of_level(level: object) -> Task | None:
    """The task that a dataset's `info["level"]` names; None if it is none of ours.

    >>> task_of_level("manip-puzzle-4x4-task1").family, task_of_level("Pendulum-v1")
    ('puzzle-4x4', None)
    """
    return _BY_LEVEL.get(level) if isinstance(level, str) else None


class Environment(NamedTuple):
    """What `gymnasium.make` needs: an id, and arguments beside its own."""

    id: str
    arguments: dict[str, Any]


def environment_of(info: dict[str, Any]) -> Environment | None:
    """The environment of a dataset, by what its `info` says; None if it is none of ours.

    >>> environment_of({"level": "catapult", "observation": "compact"})
    Environment(id='chunkenv/kinetix-catapult-v0', arguments={'observation': 'compact'})
    >>> environment_of({"level": "manip-cube-single-task2", "arguments": {"reward": "sparse"}})
    Environment(id='chunkenv/manip-cube-single-task2-v0', arguments={'reward': 'sparse'})
    """
    task = task_of_level(info.get("level")) or _GOAL_TASK_BY_LEVEL.get(str(info.get("level")))
    if task is None:
        return None
    if task.family is None:
        return Environment(task.id, {"observation": info["observation"]})
    return Environment(task.id, dict(info.get("arguments", {})))


def register() -> None:
    """Register the ids of all tasks, each with its time limit.

    `chunkenv/kinetix-<level>-v0` is played by our own engine or, with `backend="jax"`, by the reference;
    `chunkenv/kinetix-<level>-box2d-v0` is the same level in another simulator, a task of its own.
    `chunkenv/manip-<family>-task<k>-v0` is one task with a reward; `chunkenv/manip-<family>-v0` is goal-conditioned:
    the goal, one of the five tasks, is part of the observation.
    """
    for level in LEVELS:
        gymnasium.register(
            id=Task(level).id,
            entry_point="chunkenv.making.kinetix_makers:make_kinetix_env",
            vector_entry_point="chunkenv.making.kinetix_makers:make_kinetix",
            max_episode_steps=TIME_LIMIT,
            kwargs={"level": level},
        )
        gymnasium.register(
            id=Task(level).box2d_id,
            entry_point="chunkenv.making.box2d_makers:make_box2d_env",
            max_episode_steps=TIME_LIMIT,
            kwargs={"level": level},
        )
    for task in (*NUMBERED_TASKS, *GOAL_TASKS):
        maker = "make_manipulation_env" if task.number else "make_goal_manipulation_env"
        gymnasium.register(
            id=task.id,
            entry_point=f"chunkenv.making.manipulation_makers:{maker}",
            vector_entry_point="chunkenv.making.manipulation_vector_maker:make_manipulation",
            max_episode_steps=FAMILY_TIME_LIMITS[str(task.family)],
            kwargs={"family": task.family} | ({"task": task.number} if task.number else {}),
        )


def unknown_task(name: object, kind: str = "environment") -> ArgumentError:
    """The error of a name that means nothing of a kind, with the nearest one that does."""
    bare = _without_version(str(name)).removeprefix("kinetix-").removeprefix("manip-")
    known = [task.name for task in OF_KIND.get(kind, OURS)] + (
        list(gymnasium.registry) if kind == "environment" else []
    )
    otherwise = "" if kind == "Kinetix level" else "`chunkenv tasks` lists those of this package."
    return ArgumentError(f"There is no {kind} {name!r}: {suggest(bare, known, otherwise)}")


def _without_version(name: str) -> str:
    return name.removeprefix("chunkenv/").removesuffix("-v0")
