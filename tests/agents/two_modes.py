"""Data for flow policies: chunks that go up or down."""

import numpy as np

from chunkenv.agents.flow_matching import FlowSettings
from chunkenv.agents.nets.mixer import Architecture

SMALL = Architecture(width=32, hidden=64, blocks=1, time_features=16)


class TwoModes:
    """Chunks of four rows of two actions that go up or down, all rows alike, by as much as the observation says."""

    def __init__(self, beyond=0.0, masked=0.0):
        self.beyond, self.masked = beyond, masked

    def sample(self, rng, batch):
        observations = rng.uniform(0.5, 1.5, (batch, 3)).astype(np.float32)
        signs = rng.choice([-1.0, 1.0], batch)
        chunks = np.repeat((signs * observations[:, 0])[:, None, None], 8, axis=1).reshape(batch, 4, 2)
        chunks = (chunks + 0.05 * rng.standard_normal(chunks.shape)).astype(np.float32)
        mask = np.ones((batch, 4), np.float32)
        mask[rng.random(batch) < self.masked, 2:] = 0
        chunks[mask == 0] = self.beyond
        return observations, chunks, mask


def settings(**changes):
    return FlowSettings(**{"architecture": SMALL, "updates": 200, "batch": 32, "warm_up": 50, **changes})
