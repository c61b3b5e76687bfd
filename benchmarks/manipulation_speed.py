"""The speed of a vector of manipulation tasks, compared with MuJoCo alone with the same controls, and with ogbench.

    python benchmarks/manipulation_speed.py --out results/manipulation_speed.jsonl

All are measured in turns, on the same states and actions, episodes without end; medians over the rounds, and ratios of
these. Steps are control steps of 50 ms, 25 of physics; figures are steps per second.

- ogbench: `env.step` of one environment in a loop, made by `gymnasium.make` with ogbench's id.
- ceiling: MuJoCo alone, on as many threads, without control and observations: the faster of
  `mujoco.rollout.Rollout` and of threads that call `mj_step(nstep=25)` with separate data for each environment. One
  call for each control step of all; and, as `free`, all control steps of an environment in one call.
- ours: `step` of the vector environment, to compare with the ceiling; `play` of whole chunks, to compare with `free`.
- own model: the ceiling with ogbench's own model, which also has the meshes that are only rendered.
- one: a vector of one environment on one thread, against `env.step` of the single environment.
- reset: milliseconds of the start of an episode, of ours in a vector.
- MB: memory of a further environment, from the memory of 4 and of 36 after a step; and of one of ogbench.

With `--clock processor --threads 1` seconds are CPU seconds, independent of other load.

A line of the file is one family; families in the file are not measured again. Needs the extra `manipulation`.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import ogbench.manipspace  # noqa: F401 (registers the ids)
from mujoco.rollout import Rollout

from chunkenv.manipulation import FAMILIES
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.vector_env import ManipulationVectorEnv

TASK = 2
CHUNK = 10
SUBSTEPS = 25
INTEGRATION, PHYSICS = mujoco.mjtState.mjSTATE_INTEGRATION, mujoco.mjtState.mjSTATE_FULLPHYSICS
CTRL = mujoco.mjtState.mjSTATE_CTRL
CLOCK: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


class Course:
    """The first states and actions, which are the same for all sides.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        num_envs: N.
        ticks: T.
        threads: of all sides but those that are single.
        clock: "wall" or "processor".
    """

    def __init__(self, family: str, num_envs: int, ticks: int, threads: int, clock: str) -> None:
        self.clock = clock
        self.family, self.num_envs, self.ticks, self.threads = family, num_envs, ticks, threads
        self.envs = ManipulationVectorEnv(family, TASK, num_envs, threads=threads, max_episode_steps=-1)
        self.one = ManipulationVectorEnv(family, TASK, 1, threads=1, max_episode_steps=-1)
        self.single = ManipulationEnv(family, TASK)
        self.envs.reset(seed=0)
        self.one.reset(seed=0)
        self.states = self.envs.get_states()
        self.actions = wandering(num_envs, ticks)
        self.model = self.single.world.model
        self.controls = self._controls()

    def _controls(self) -> np.ndarray:
        """The controls that follow from the actions, float64[N, T, n]."""
        start = mujoco.mj_stateSize(self.model, int(INTEGRATION) & (int(CTRL) - 1))
        every = range(self.ticks)
        found = [self._after(tick)[:, start : start + self.model.nu] for tick in every]
        self.envs.set_states(self.states)
        return np.stack(found, axis=1)

    def _after(self, tick: int) -> np.ndarray:
        self.envs.play(self.actions[:, tick : tick + 1], np.ones(self.num_envs, np.int64))
        return self.envs.get_states()

    def physics(self, model: Any, kind: Any) -> np.ndarray:
        """MuJoCo's part of the first states."""
        data, found = mujoco.MjData(model), np.empty((self.num_envs, mujoco.mj_stateSize(model, kind)))
        for state, row in zip(self.states, found, strict=True):
            mujoco.mj_setState(model, data, np.ascontiguousarray(state[self.single.layout.physics]), INTEGRATION)
            mujoco.mj_getState(model, data, row, kind)
        return found


def wandering(num_envs: int, ticks: int) -> np.ndarray:
    """Random actions that change slowly and move down as often as up, float32[N, T, 5]."""
    rng = np.random.default_rng(0)
    held = np.repeat(rng.uniform(-1, 1, (num_envs, -(-ticks // CHUNK), 5)), CHUNK, axis=1)[:, :ticks]
    return np.clip(held + rng.normal(0, 0.2, held.shape), -1, 1).astype(np.float32)


def raw_threads(course: Course, model: Any, free: bool) -> float:
    """Steps per second of threads that call mj_step."""
    models = models_of(course, model)
    data = [mujoco.MjData(model) for _ in range(course.num_envs)]
    for one, state in zip(data, course.physics(model, INTEGRATION), strict=True):
        mujoco.mj_setState(model, one, state, INTEGRATION)

    def work(index: int, ticks: range) -> None:
        for tick in ticks:
            data[index].ctrl[:] = course.controls[index, tick]
            mujoco.mj_step(models[index], data[index], nstep=SUBSTEPS)

    with ThreadPoolExecutor(course.threads) as pool:
        list(pool.map(len, [()] * course.threads))  # start the threads
        return per_second(course, lambda: [list(pool.map(work, *job)) for job in jobs(course, free)])


def jobs(course: Course, free: bool) -> list[tuple[range, list[range]]]:
    """The work of the threads between two waits: one tick of each environment, or all of them."""
    each, n = range(course.num_envs), course.num_envs
    if free:
        return [(each, [range(course.ticks)] * n)]
    return [(each, [range(tick, tick + 1)] * n) for tick in range(course.ticks)]


def raw_rollout(course: Course, model: Any, free: bool) -> float:
    """Steps per second of MuJoCo's own rollouts."""
    models, data = models_of(course, model), [mujoco.MjData(model) for _ in range(course.threads)]
    begun, span = course.physics(model, PHYSICS), course.ticks if free else 1
    with Rollout(nthread=course.threads) as rollout:

        def work() -> None:
            states = begun
            for tick in range(0, course.ticks, span):
                controls = np.repeat(course.controls[:, tick : tick + span], SUBSTEPS, axis=1)
                states = np.ascontiguousarray(rollout.rollout(models, data, states, controls)[0][:, -1])

        return per_second(course, work)


def models_of(course: Course, model: Any) -> list[Any]:
    """The model of each environment: those of the scene differ, as the buttons lock drawer and window."""
    if course.family != "scene":
        return [model] * course.num_envs
    models = [copy.copy(model) for _ in course.states]
    for state, own in zip(course.states, models, strict=True):
        course.single.set_state(state)
        own.dof_damping[:] = course.single.world.model.dof_damping
    return models


def ours(course: Course, length: int) -> float:
    """Steps per second of the vector environment: of `step`, or of `play` with chunks of a length."""
    course.envs.set_states(course.states)
    actions, full = course.actions, np.full(course.num_envs, length)
    if length == 1:
        return per_second(course, lambda: [course.envs.step(actions[:, tick]) for tick in range(course.ticks)])
    starts = range(0, course.ticks, length)
    return per_second(course, lambda: [course.envs.play(actions[:, at : at + length], full) for at in starts])


def of_one(course: Course, step: Callable[[np.ndarray], Any]) -> float:
    """Steps per second of one environment."""
    begun = CLOCK[course.clock]()
    for action in itertools.islice(itertools.cycle(course.actions[0]), course.ticks):
        step(action)
    return course.ticks / (CLOCK[course.clock]() - begun)


def per_second(course: Course, work: Callable[[], object]) -> float:
    """Steps per second of work that steps everything."""
    begun = CLOCK[course.clock]()
    work()
    return course.num_envs * course.ticks / (CLOCK[course.clock]() - begun)


def sides(course: Course, theirs: Any) -> dict[str, Callable[[], float]]:
    """All measurements, each set to its first state."""

    def at_first(env: Any, state: np.ndarray, step: Callable[[np.ndarray], Any]) -> float:
        env(state)
        return of_one(course, step)

    theirs._terminate_at_goal = False
    one, single, first = course.one, course.single, course.states[:1]
    return {
        "ogbench": lambda: at_first(lambda _: theirs.reset(seed=0), first, theirs.step),
        "threads": lambda: raw_threads(course, course.model, free=False),
        "rollout": lambda: raw_rollout(course, course.model, free=False),
        "ours": lambda: ours(course, 1),
        "free_threads": lambda: raw_threads(course, course.model, free=True),
        "free_rollout": lambda: raw_rollout(course, course.model, free=True),
        "play": lambda: ours(course, CHUNK),
        "own_threads": lambda: raw_threads(course, theirs.model, free=False),
        "own_rollout": lambda: raw_rollout(course, theirs.model, free=False),
        "single": lambda: at_first(single.set_state, first[0], single.step),
        "one": lambda: at_first(one.set_states, first, lambda action: one.step(action[None])),
        "reset": lambda: reset_ms(course),
    }


def medians(measures: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of every measurement; each round begins with another one."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(-1, rounds):
        for name in np.roll(list(measures), number).tolist():
            value = measures[name]()
            if number >= 0:  # the round before compiles everything and touches all memory
                found[name].append(value)
    return {name: float(np.median(values)) for name, values in found.items()}


def reset_ms(course: Course) -> float:
    """Milliseconds of the start of an episode."""
    begun = CLOCK[course.clock]()
    course.envs.reset(seed=0)
    return 1e3 * (CLOCK[course.clock]() - begun) / course.num_envs


def resident() -> float:
    """Memory of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def memory(family: str) -> float:
    """MB of a further environment of ours."""
    held, used = [], []
    for num_envs in (4, 4, 36):
        before = resident()
        envs = ManipulationVectorEnv(family, TASK, num_envs)
        envs.reset(seed=0)
        envs.step(np.zeros((num_envs, 5), np.float32))
        used.append(resident() - before)
        held.append(envs)
    return (used[2] - used[1]) / 32


def of_ogbench(family: str) -> tuple[Any, float]:
    """An environment of ogbench, and the MB of a further one."""
    make = gymnasium.make
    first = make(f"{family}-singletask-task{TASK}-v0").unwrapped
    first.reset(seed=0)
    before = resident()
    make(f"{family}-singletask-task{TASK}-v0").unwrapped.reset(seed=0)
    return first, resident() - before


def row_of(family: str, rounds: int, **sizes: Any) -> dict[str, Any]:
    """The medians of a family, and their ratios."""
    own = memory(family)
    theirs, their_own = of_ogbench(family)
    row = medians(sides(Course(family, **sizes), theirs), rounds)
    for name in ("ceiling", "free", "own_model"):
        row[name] = max(row[side] for side in CEILINGS[name])
    row |= {f"{ours_}/{other}": row[ours_] / row[other] for ours_, other in RATIOS}
    row |= {"mb": own, "mb_ogbench": their_own}
    return {"family": family, **{name: round(value, 2) for name, value in row.items()}, **sizes, "rounds": rounds}


CEILINGS = {
    "ceiling": ("threads", "rollout"),
    "free": ("free_threads", "free_rollout"),
    "own_model": ("own_threads", "own_rollout"),
}
RATIOS = (
    ("ours", "ceiling"),
    ("play", "free"),
    ("ours", "ogbench"),
    ("ours", "own_model"),
    ("one", "single"),
)
COLUMNS = ("family", "ogbench", "ceiling", "ours", *("/".join(pair) for pair in RATIOS), "reset", "mb", "mb_ogbench")


def main() -> None:
    """Measure what is missing in the file, and print a table of the whole file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--envs", type=int, default=16, help="environments in the vector")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ticks", type=int, default=60, help="control steps of each in a round, a multiple of 10")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCK, default="wall", help="wall or processor seconds")
    parser.add_argument("--out", type=Path, help="JSON lines to append to")
    options = parser.parse_args()
    sizes = {"num_envs": options.envs, "ticks": options.ticks, "threads": options.threads, "clock": options.clock}
    rows = [json.loads(line) for line in _lines(options.out)]
    print("".join(name.rjust(15) for name in COLUMNS))
    for family in options.families:
        row = next((row for row in rows if row["family"] == family), None)
        if row is None:
            row = row_of(family, options.rounds, **sizes)
            if options.out:
                options.out.parent.mkdir(parents=True, exist_ok=True)
                with options.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
        print("".join(str(row[name]).rjust(15) for name in COLUMNS), flush=True)


def _lines(path: Path | None) -> list[str]:
    return path.read_text().splitlines() if path and path.exists() else []


if __name__ == "__main__":
    main()
