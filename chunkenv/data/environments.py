"""The environment that a dataset is about, made again from what its `info` says."""

from __future__ import annotations

from typing import Any, NamedTuple

from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.registration import FAMILIES, TASKS

KINETIX, MANIPULATION = "kinetix-", "manip-"
LEVEL_NAMES = (*LEVELS, *(f"{MANIPULATION}{family}-task{task}" for family in FAMILIES for task in TASKS))
"""All that data can be collected of."""


class Environment(NamedTuple):
    """What `gymnasium.make` needs: an id, and arguments beside its own."""

    id: str
    arguments: dict[str, Any]


def environment_of(info: dict[str, Any]) -> Environment | None:
    """The environment of a dataset; None if it is none of ours.

    >>> environment_of({"level": "catapult", "observation": "compact"})
    Environment(id='chunkenv/kinetix-catapult-v0', arguments={'observation': 'compact'})
    >>> environment_of({"level": "manip-cube-single-task2", "arguments": {"reward": "sparse"}})
    Environment(id='chunkenv/manip-cube-single-task2-v0', arguments={'reward': 'sparse'})
    """
    level = info.get("level", "")
    if level in LEVELS:
        return Environment(id_of(level), {"observation": info["observation"]})
    if family_of(level) is not None:
        return Environment(id_of(level), dict(info.get("arguments", {})))
    return None


def id_of(level: str) -> str:
    """The id of a level's environment.

    >>> id_of("catapult"), id_of("manip-scene-task1")
    ('chunkenv/kinetix-catapult-v0', 'chunkenv/manip-scene-task1-v0')
    """
    return f"chunkenv/{'' if level.startswith(MANIPULATION) else KINETIX}{level}-v0"


def level_of(task: str) -> str | None:
    """The level that a task's name or id means; None if it is none of ours.

    >>> [level_of(name) for name in ("catapult", "chunkenv/kinetix-catapult-v0", "Pendulum-v1")]
    ['catapult', 'catapult', None]
    >>> {level_of(name) for name in ("scene-task1", "manip-scene-task1", "chunkenv/manip-scene-task1-v0")}
    {'manip-scene-task1'}
    """
    name = task.removeprefix("chunkenv/").removesuffix("-v0").removeprefix(KINETIX).removeprefix(MANIPULATION)
    if name in LEVELS:
        return name
    return None if family_of(f"{MANIPULATION}{name}") is None else f"{MANIPULATION}{name}"


def manipulation_level(task: str) -> str:
    """The level of a manipulation task by its name or id.

    Raises:
        ArgumentError: it is none.

    >>> manipulation_level("chunkenv/manip-scene-task1-v0")
    'manip-scene-task1'
    """
    level = level_of(task)
    if level is None or family_of(level) is None:
        raise ArgumentError(f"{task!r} is no manipulation task; give for example 'manip-cube-single-task2'.")
    return level


def family_of(level: Any) -> str | None:
    """The family of a manipulation task by the level's name; None if it is none.

    >>> family_of("manip-puzzle-4x4-task1"), family_of("catapult")
    ('puzzle-4x4', None)
    """
    if not isinstance(level, str) or not level.startswith(MANIPULATION):
        return None
    family, _, task = level.removeprefix(MANIPULATION).rpartition("-task")
    return family if family in FAMILIES and task in ("1", "2", "3", "4", "5") else None
