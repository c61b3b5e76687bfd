"""The overhead of `ChunkedExecution`: the time of chunks on CartPole against a plain Python loop over the same steps.

    python benchmarks/wrapper_overhead.py

Both play the same actions in the same episodes, in turns, in one process. Each figure is the smallest of the rounds, in
CPU seconds, which other processes affect least.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import gymnasium as gym
import numpy as np

from chunkenv import ChunkedExecution

H = 8
CHUNK = np.array([0, 1] * (H // 2))
TICKS, ROUNDS = 4_000, 60


def played(ticks: int, delay: int) -> list[list[int]]:
    """The actions that the chunks execute, episode by episode, for at least `ticks` control steps."""
    env = ChunkedExecution(gym.make("CartPole-v1"), H, latency=delay, info="full")
    env.reset(seed=0)
    episodes: list[list[int]] = [[]]
    while sum(map(len, episodes)) < ticks:
        _, _, terminated, truncated, info = env.step(CHUNK)
        episodes[-1] += info["actions"]
        if terminated or truncated:
            env.reset()
            episodes.append([])
    return episodes


def bare_loop(env: gym.Env, episodes: list[list[int]]) -> float:
    """Seconds per control step, row by row."""
    ticks, start = 0, time.process_time()
    env.reset(seed=0)
    for actions in episodes:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            ticks += 1
            if terminated or truncated:
                env.reset()
                break
    return (time.process_time() - start) / ticks


def chunks(env: gym.Env, ticks: int) -> float:
    """Seconds per control step, chunk by chunk, for at least `ticks` of them."""
    played, start = 0, time.process_time()
    env.reset(seed=0)
    while played < ticks:
        _, _, terminated, truncated, info = env.step(CHUNK)
        played += info["ticks"]
        if terminated or truncated:
            env.reset()
    return (time.process_time() - start) / played


def import_seconds() -> float:
    """Seconds that `import chunkenv` takes in a fresh interpreter, beyond starting it."""
    code = "import time; t = time.perf_counter(); import chunkenv; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(7)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Print the ratios."""
    for delay in (0, 3):
        bare, chunked = gym.make("CartPole-v1"), ChunkedExecution(gym.make("CartPole-v1"), H, latency=delay)
        episodes = played(TICKS, delay)
        pairs = [(bare_loop(bare, episodes), chunks(chunked, TICKS)) for _ in range(ROUNDS)]
        loop, ours = (min(column) for column in zip(*pairs, strict=True))
        print(
            f"CartPole-v1, H = {H}, s = {H - delay}, d = {delay}: {ours * 1e6:.2f} us a control step, "
            f"bare loop {loop * 1e6:.2f} us: {ours / loop:.2f}x (at most 1.2x)"
        )
    print(f"import chunkenv: {import_seconds():.2f} s (under 0.3 s)")


if __name__ == "__main__":
    main()
