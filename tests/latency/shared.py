"""What the tests of latency share: a user's models, one of each kind, and draws."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from chunkenv.latency import Bursty, Constant, Gamma, LatencyModel, LogNormal, Streamed, Trace, Uniform

NAN, INF = math.nan, math.inf
CALM, BUSY = Constant(0.0), Constant(1.0)


@dataclass(frozen=True)
class Drawn(LatencyModel):
    """A user's model: whatever it is told to draw."""

    value: object

    def draw(self, rng, state):
        return self.value, state


@dataclass(frozen=True)
class Doubled(LatencyModel):
    """A user's model with another model inside, and one that counts."""

    inner: LatencyModel
    labels: tuple = ()

    def begin(self, rng):
        return 0, self.inner.begin(rng)

    def draw(self, rng, state):
        count, inner = state
        seconds, inner = self.inner.draw(rng, inner)
        return 2.0 * seconds, (count + 1, inner)


class Undescribed(LatencyModel):
    """A user's model that is no dataclass."""

    def draw(self, rng, state):
        return 0.25, state


MODELS = [
    Constant(0.05),
    Uniform(0.01, 0.2),
    LogNormal(0.08, 0.3),
    Gamma(mean=0.1, cv=0.5),
    Bursty(Constant(0.02), Gamma(0.3, 0.2), enter=0.1, leave=0.4),
    Trace([0.02, 0.05, 0.03], mode="replay"),
    Trace([0.02, 0.05, 0.03], mode="resample"),
    Constant(0.02) + LogNormal(0.08, 0.3) + Trace([0.0, 0.1]),
    Streamed((0.02, 0.02, 0.05)),
    LogNormal(0.08, 0.3) + Streamed((0.0, 0.05)) + Streamed((0.1, 0.1)),
    Doubled(Uniform(0.0, 0.1)),
]
named = pytest.mark.parametrize("model", MODELS, ids=[type(m).__name__ + str(i) for i, m in enumerate(MODELS)])


def draws(model, count, seed=0):
    rng = np.random.default_rng(seed)
    state, drawn = model.begin(rng), []
    for _ in range(count):
        seconds, state = model.draw(rng, state)
        drawn.append(seconds)
    return np.array(drawn)
