"""What the native vector environments add to their engines, in steps of single ticks and in decisions with chunks.

    python benchmarks/vector_overhead.py [level ...] [--threads 1] [--quick]

Single ticks: `gymnasium.make_vec(id, N)` with autoreset and random actions, and in turns the engine alone, from the
same states with the same actions, with observations; the share is the engine's seconds by the environment's. Episodes
are in all stages, so that some end in most steps; with DISABLED the caller's resets are not counted. Kinetix levels
(all, if none is named), then a family of manipulation tasks.

Chunks: a decision of `gymnasium.make_vec(id, N, prediction_horizon=8, execution_horizon=4, latency=2)` at the first
level, the call into the engine alone, and the same decision of a `SyncVectorEnv` of `ChunkedExecution`s (up to 512
environments). All play the same episodes.

Each figure is the smallest of the rounds, step by step or episode by episode: in CPU seconds with one thread, which
other processes affect little, otherwise in wall seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution
from chunkenv.kinetix import LEVELS
from chunkenv.utils.processes import usable_cores

CHUNKS: dict[str, Any] = {"prediction_horizon": 8, "execution_horizon": 4, "latency": 2}
DECISIONS, STEPS, ROUNDS = 8, 24, 5
SIZES = (64, 256, 512, 1024, 2048)
STEP_SIZES = (256, 1024)
MANIPULATION, FEW = "manip-cube-single-task1", 16
LARGEST_SYNC = 512

EngineAlone = Callable[[np.ndarray, np.ndarray, np.ndarray], Callable[[], object]]
"""The call into an engine that plays actions [N, T, A] for `ticks` from copies of states."""


def seconds(calls: list[Callable[[], object]], threads: int) -> float:
    """The seconds of calls, one after the other."""
    clock = time.process_time if threads == 1 else time.perf_counter
    start = clock()
    for call in calls:
        call()
    return clock() - start


# --- single ticks ---------------------------------------------------------------------------------------------------


def kinetix_alone(envs: Any, observation: str, threads: int) -> EngineAlone:
    """The engine of a Kinetix level."""
    play = partial(envs.simulator.play, observation=observation, threads=threads)
    return lambda states, actions, ticks: partial(play, states.copy(), actions, ticks)


def manipulation_alone(envs: Any, threads: int) -> EngineAlone:
    """The engine of a family of manipulation tasks, with memory of its own."""
    from chunkenv.manipulation.engine.engine import Engine

    engine = Engine(envs._engine.world.family.name, envs.num_envs, threads)

    def call(states: np.ndarray, actions: np.ndarray, ticks: np.ndarray) -> Callable[[], object]:
        engine.states[:] = states
        return partial(engine.play, actions, ticks)

    return call


def stagger(envs: Any, rng: np.random.Generator) -> None:
    """Start episodes and play a random part of each, so that they do not end at once."""
    envs.reset(seed=0)
    for most in (envs._limit, envs._limit // 4, envs._limit // 4):  # the latter two part those that ended early
        actions = rng.uniform(-1, 1, (envs.num_envs, most, *envs.single_action_space.shape)).astype(np.float32)
        play = envs.play(actions, rng.integers(most, size=envs.num_envs))
        if (over := play.terminated | play.truncated).any():
            envs.reset(options={"reset_mask": over})


def step_seconds(envs: Any, alone: EngineAlone, actions: np.ndarray, threads: int) -> np.ndarray:
    """Seconds of a step, and of the engine alone, for each of the actions; how many episodes ended."""
    lines = []
    for action in actions:
        states, ticks = envs.get_states(), (~envs._autoreset.ended).astype(np.int64)
        returned: list[Any] = []
        ours = seconds([lambda action=action, returned=returned: returned.extend(envs.step(action))], threads)
        engine = seconds([alone(states, action[:, None], ticks)], threads)
        over = returned[2] | returned[3]
        if envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED and over.any():
            envs.reset(options={"reset_mask": over})
        lines.append((ours, engine, over.sum()))
    return np.array(lines)


def measure_steps(envs: Any, alone: EngineAlone, threads: int, rounds: int) -> tuple[float, str]:
    """The engine's share of single ticks, and how it reads."""
    rng = np.random.default_rng(0)
    stagger(envs, rng)
    actions = rng.uniform(-1, 1, (STEPS, *envs.action_space.shape)).astype(np.float32)
    start, figures = envs.get_states(), []
    for _ in range(rounds):
        envs.set_states(start)
        figures.append(step_seconds(envs, alone, actions, threads))
    ours, engine, ends = np.min(figures, axis=0).sum(axis=0)
    each = STEPS * envs.num_envs / 1e6
    return engine / ours, f"{ends:>6.0f} {ours / each:>11.2f} us {engine / each:>8.2f} us {engine / ours:>6.0%}"


def print_steps(levels: list[str], sizes: tuple[int, ...], threads: int, rounds: int) -> None:
    """The table of single ticks."""
    print("single ticks                observation     N  mode       ends  step, a tick   engine's  share")
    shares = []
    for level, observation, num_envs, mode in product(levels, ("symbolic", "compact"), sizes, AutoresetMode):
        options = {"observation": observation, "autoreset_mode": mode, "threads": threads}
        envs = gym.make_vec(f"chunkenv/kinetix-{level}-v0", num_envs=num_envs, **options)
        alone = kinetix_alone(envs, observation, threads)
        share, line = measure_steps(envs, alone, threads, rounds)
        shares.append(share)
        print(f"{level:<27} {observation:<11} {num_envs:>5}  {mode.value:<8} {line}", flush=True)
    print(f"smallest share {min(shares):.0%}, geometric mean {np.exp(np.log(shares).mean()):.0%}")
    for mode in AutoresetMode:
        envs = gym.make_vec(f"chunkenv/{MANIPULATION}-v0", num_envs=FEW, autoreset_mode=mode, threads=threads)
        _, line = measure_steps(envs, manipulation_alone(envs, threads), threads, rounds)
        print(f"{MANIPULATION:<27} {'features':<11} {FEW:>5}  {mode.value:<8} {line}", flush=True)


# --- chunks ---------------------------------------------------------------------------------------------------------


class Recorder:
    """Records the calls of the chunks into the environment, so that they can be repeated without the chunks."""

    def __init__(self, envs: gym.vector.VectorEnv) -> None:
        self.inner: Any = envs.unwrapped
        self.play, self.calls = self.inner.play, []
        self.inner.play = self._noted

    def _noted(self, actions: np.ndarray, ticks: np.ndarray, *, every_tick: bool = False) -> Any:
        self.calls.append((self.inner.get_states(), actions, ticks))
        return self.play(actions, ticks, every_tick=every_tick)


def episode(envs: gym.vector.VectorEnv, chunks: list[np.ndarray], threads: int) -> float:
    """Seconds of the decisions after a reset."""
    envs.reset(seed=0)
    return seconds([partial(envs.step, chunk) for chunk in chunks], threads)


def measure_chunks(level: str, num_envs: int, threads: int, rounds: int) -> str:
    """A line of the table of chunks."""
    name = f"chunkenv/kinetix-{level}-v0"
    native = gym.make_vec(name, num_envs=num_envs, threads=threads, **CHUNKS)
    native.action_space.seed(0)
    chunks = [native.action_space.sample() for _ in range(DECISIONS)]
    recorder = Recorder(native)
    episode(native, chunks, threads)
    recorder.inner.play = recorder.play
    alone = kinetix_alone(recorder.inner, "symbolic", threads)
    count = num_envs if num_envs <= LARGEST_SYNC else 0
    sync = SyncVectorEnv([lambda: ChunkedExecution(gym.make(name), **CHUNKS)] * count) if count else None
    figures = [
        (
            episode(native, chunks, threads),
            seconds([alone(*call) for call in recorder.calls], threads),
            episode(sync, chunks, threads) if sync else np.inf,
        )
        for _ in range(rounds)
    ]
    ours, engine, theirs = np.min(figures, axis=0)
    ticks = sum(int(ticks.sum()) for _, _, ticks in recorder.calls)
    against = f"{theirs / ours:8.1f}x" if sync else "        -"
    return (
        f"{num_envs:>6} {num_envs * DECISIONS / ours:>14,.0f} {ticks / ours:>14,.0f} {against} {engine / ours:>11.0%}"
        f" {(ours - engine) / ticks * 1e6:>14.3f} us"
    )


def print_chunks(level: str, sizes: tuple[int, ...], threads: int, rounds: int) -> None:
    """The table of chunks."""
    print(f"\nchunks: {level}, {CHUNKS}")
    print("     N    decisions/s        ticks/s  over sync engine's share  overhead per tick")
    for num_envs in sizes:
        print(measure_chunks(level, num_envs, threads, rounds), flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="What vector environments add to their engines.")
    parser.add_argument("levels", nargs="*", metavar="level", help="Kinetix levels, all if none is named")
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--quick", action="store_true", help="one level, the smallest sizes, fewer rounds")
    arguments = parser.parse_args()
    quick, threads = arguments.quick, arguments.threads
    levels = arguments.levels or (["hard_lunar_lander"] if quick else list(LEVELS))
    rounds = 2 if quick else ROUNDS
    print(f"{threads} threads, the smallest of {rounds} rounds")
    print_steps(levels, STEP_SIZES[:1] if quick else STEP_SIZES, threads, rounds)
    print_chunks(
        arguments.levels[0] if arguments.levels else "catapult", SIZES[:1] if quick else SIZES, threads, rounds
    )


if __name__ == "__main__":
    main()
