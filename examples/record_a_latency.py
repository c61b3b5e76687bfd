"""Measure the inference latency of your policy, save it as a trace, and replay it on the simulated clock.

    python examples/record_a_latency.py

Measured wall time differs in every run. The trace repeats: the same seed gives the same delays on any machine.
"""

import tempfile
import time
from pathlib import Path

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.latency import Constant, Trace


def infer(observation):
    """A slow policy: a matrix product represents a network."""
    weights = np.ones((400, 400))
    return np.full((8, 1), np.tanh((weights @ weights)[0, 0]) * 0.0 - observation[2], np.float32)


def measure(times):
    """The seconds of each of `times` inferences."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        infer(np.zeros(3))
        seconds.append(time.perf_counter() - start)
    return seconds


def main():
    """Record, save and replay, with 100 ms of network latency added."""
    path = Path(tempfile.mkdtemp()) / "latency.csv"
    np.savetxt(path, measure(50))
    latency = Trace(str(path)) + Constant(0.100)
    env = chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency)
    observation, _ = env.reset(seed=0)
    delays = []
    for _ in range(20):
        observation, *_, info = env.step(infer(observation))
        delays.append(info["delay"])
    print(f"delays in ticks of 50 ms, the first chunk free: {delays}")


if __name__ == "__main__":
    main()
