"""The overhead of chunks on many environments: the native vector environment and gymnasium's of single ones.

    python benchmarks/vector_overhead.py [level] [--threads 1]

One run, in turns: a decision of `gymnasium.make_vec(id, N, prediction_horizon=8, execution_horizon=4, latency=2)`, the
call into the engine alone with the same states, actions and ticks, and the same decision of a `SyncVectorEnv` of
`ChunkedExecution`s (up to 512 environments). All play the same episodes. Each figure is the smallest of the rounds: in
CPU seconds with one thread, which other processes affect little, otherwise in wall seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv

from chunkenv import ChunkedExecution
from chunkenv.utils.processes import usable_cores

CHUNKS: dict[str, Any] = {"prediction_horizon": 8, "execution_horizon": 4, "latency": 2}
DECISIONS, ROUNDS = 8, 5
SIZES = (64, 256, 512, 1024, 2048)
LARGEST_SYNC = 512


class Recorder:
    """Records the calls of the chunks into the engine, so that they can be repeated without the chunks."""

    def __init__(self, envs: gym.vector.VectorEnv) -> None:
        self.inner: Any = envs.unwrapped
        self.play, self.calls = self.inner.play, []
        self.inner.play = self._noted

    def _noted(self, actions: np.ndarray, ticks: np.ndarray, *, every_tick: bool = False) -> Any:
        self.calls.append((self.inner.get_states(), actions, ticks))
        return self.play(actions, ticks, every_tick=every_tick)


def seconds(calls: list[Callable[[], object]], threads: int) -> float:
    """The seconds of calls, one after the other."""
    clock = time.process_time if threads == 1 else time.perf_counter
    start = clock()
    for call in calls:
        call()
    return clock() - start


def episode(envs: gym.vector.VectorEnv, chunks: list[np.ndarray], threads: int) -> float:
    """Seconds of the decisions after a reset."""
    envs.reset(seed=0)
    return seconds([partial(envs.step, chunk) for chunk in chunks], threads)


def engine_alone(calls: list[tuple[np.ndarray, np.ndarray, np.ndarray]], inner: Any, threads: int) -> float:
    """Seconds of the calls into the engine in an episode, with the observation after each."""
    play = partial(inner.simulator.play, observation="symbolic", threads=threads)
    return seconds([partial(play, states.copy(), actions, ticks) for states, actions, ticks in calls], threads)


def measure(level: str, num_envs: int, threads: int) -> str:
    """A line of the table."""
    name = f"chunkenv/kinetix-{level}-v0"
    native = gym.make_vec(name, num_envs=num_envs, threads=threads, **CHUNKS)
    native.action_space.seed(0)
    chunks = [native.action_space.sample() for _ in range(DECISIONS)]
    recorder = Recorder(native)
    episode(native, chunks, threads)
    recorder.inner.play = recorder.play
    count = num_envs if num_envs <= LARGEST_SYNC else 0
    sync = SyncVectorEnv([lambda: ChunkedExecution(gym.make(name), **CHUNKS)] * count) if count else None
    rounds = [
        (
            episode(native, chunks, threads),
            engine_alone(recorder.calls, recorder.inner, threads),
            episode(sync, chunks, threads) if sync else np.inf,
        )
        for _ in range(ROUNDS)
    ]
    ours, engine, theirs = (min(column) for column in zip(*rounds, strict=True))
    ticks = sum(int(ticks.sum()) for _, _, ticks in recorder.calls)
    against = f"{theirs / ours:8.1f}x" if sync else "        -"
    return (
        f"{num_envs:>6} {num_envs * DECISIONS / ours:>14,.0f} {ticks / ours:>14,.0f} {against} {engine / ours:>11.0%}"
        f" {(ours - engine) / ticks * 1e6:>14.3f} us"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Chunks on many Kinetix environments.")
    parser.add_argument("level", nargs="?", default="catapult")
    parser.add_argument("--threads", type=int, default=usable_cores())
    arguments = parser.parse_args()
    print(f"{arguments.level}, {CHUNKS}, {arguments.threads} threads")
    print("     N    decisions/s        ticks/s  over sync engine's share  overhead per tick")
    for num_envs in SIZES:
        print(measure(arguments.level, num_envs, arguments.threads), flush=True)


if __name__ == "__main__":
    main()
