"""Good parts pass their contracts; for every check there is a broken part that fails it."""

import functools
import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution, FlattenChunk
from chunkenv.latency import Bursty, Constant, Gamma, LogNormal, Sum, Trace, Uniform
from chunkenv.testing import ChunkContract, CountingEnv, LatencyContract, PolicyContract
from tests.worlds import ACTIONS, Recorder

UNEVEN = LogNormal(median=0.08, sigma=0.8)


def counting(*args, **options):
    return ChunkedExecution(CountingEnv(terminate_at=50), *args, **options)


def made(name, *args, **options):
    return ChunkedExecution(gym.make(name), *args, **options)


WORLDS = {
    "counting": lambda: counting(8, 4, latency=2, info="full"),
    "counting, basic info": lambda: counting(8, 4, latency=2, discount=0.9),
    "counting, truncated": lambda: ChunkedExecution(CountingEnv(truncate_at=45), 8, 4, latency=3, discount=0.5),
    "counting, both": lambda: ChunkedExecution(CountingEnv(45, 45), 8, 4, latency=3, discount=0.9, info="full"),
    "counting, one row": lambda: counting(1),
    "counting, delay beyond the chunk": lambda: counting(3, 2, latency=5, info="full"),
    "counting, random delays": lambda: counting(8, 4, latency=UNEVEN, control_dt=0.03, info="full"),
    "counting, stops": lambda: counting(4, 3, latency=UNEVEN, control_dt=0.05, underrun="stop", info="full"),
    "counting, charged": lambda: counting(8, 4, latency=2, cold_start="charged", info="full"),
    "counting, charged and stops": lambda: counting(4, 2, latency=1, cold_start="charged", underrun="stop"),
    "counting, synchronous": lambda: counting(8, 5, latency=2, overlap=False, info="full"),
    "CartPole": lambda: made("CartPole-v1", 8, 4, latency=2, info="full", discount=0.99),
    "CartPole, random delays": lambda: made("CartPole-v1", 8, 3, UNEVEN, delay_estimate="max", observe_prefix=True),
    "CartPole, flat": lambda: FlattenChunk(made("CartPole-v1", 8, 4, latency=2)),
    "Pendulum": lambda: made("Pendulum-v1", 8, 4, latency=3, info="full", observe_prefix="flat"),
    "Pendulum, flat": lambda: FlattenChunk(made("Pendulum-v1", 8, 4, latency=2)),
    "Pendulum, synchronous": lambda: made("Pendulum-v1", 6, 4, UNEVEN, overlap=False, underrun="zero"),
    "Pendulum, last": lambda: made("Pendulum-v1", 8, 4, UNEVEN, delay_estimate="last", discount=0.9),
} | {
    f"{name} actions": functools.partial(ChunkedExecution, Recorder(space), 6, 3, latency=2, info="full")
    for name, space in ACTIONS.items()
}


@pytest.mark.parametrize("world", WORLDS)
class TestGoodEnvironments(ChunkContract):
    @pytest.fixture(autouse=True)
    def _choose(self, world):
        self.make_env = WORLDS[world]
