"""Small experts for tests."""

from itertools import pairwise

import numpy as np

from chunkenv.agents.policies.expert import Expert
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.level import used_channels


def random_expert(level="catapult", seed=0, steps=100, solve_rate=0.5, std=None):
    rng = np.random.default_rng(seed)
    channels = used_channels(level)
    sizes = (Simulator(level).compact_size, 16, len(channels))
    layers = tuple(
        (rng.standard_normal((a, b)).astype(np.float32), rng.standard_normal(b).astype(np.float32))
        for a, b in pairwise(sizes)
    )
    mean, scale = rng.standard_normal((2, sizes[0])).astype(np.float32)
    return Expert(level, seed, steps, solve_rate, channels, mean, np.abs(scale) + 0.1, layers, std)
