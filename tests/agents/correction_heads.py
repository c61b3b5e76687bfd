"""Small correction heads for tests."""

from itertools import pairwise

import numpy as np

from chunkenv.agents.policies.correction_head import CorrectionHead
from chunkenv.kinetix.engine.simulator import Simulator


def random_head(level="catapult", label="expert", observation=None, actions=6, hidden=(32, 16), seed=0):
    rng = np.random.default_rng(seed)
    size = (Simulator(level).compact_size if observation is None else observation) + actions
    sizes = (size + 2, *hidden, actions)
    layers = [
        {
            "kernel": rng.normal(0, a**-0.5, (a, b)),
            "bias": rng.normal(0, 0.1, b),
            "scale": np.ones(b),
            "shift": rng.normal(0, 0.1, b),
        }
        for a, b in pairwise(sizes)
    ]
    layers[-1] = {name: layers[-1][name] for name in ("kernel", "bias")}
    single = tuple({name: value.astype(np.float32) for name, value in layer.items()} for layer in layers)
    mean, scale = rng.standard_normal((2, size)).astype(np.float32)
    return CorrectionHead(level, label, 8, mean, np.abs(scale) + 0.5, single, {"seed": seed})
