"""The models whose draws are independent and have a closed form."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import assign, positive, seconds_of, share_of
from chunkenv.latency.model import LatencyModel
from chunkenv.utils.checks import real_number


@dataclass(frozen=True)
class Constant(LatencyModel):
    """Always the same latency.

    Args:
        seconds: at least 0.
    """

    seconds: float

    def __post_init__(self) -> None:
        assign(self, seconds=seconds_of("seconds", self.seconds))

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """The constant; `rng` is not touched."""
        return self.seconds, state

    def mean(self) -> float:
        """The constant."""
        return self.seconds

    def quantile(self, q: float) -> float:
        """The constant."""
        share_of("q", q)
        return self.seconds


@dataclass(frozen=True)
class Uniform(LatencyModel):
    """Any latency from `low` to `high`, all equally likely.

    Args:
        low: seconds, at least 0.
        high: seconds, at least `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        assign(self, low=seconds_of("low", self.low), high=seconds_of("high", self.high))
        if self.low > self.high:
            raise ArgumentError(f"low={self.low!r} is more than high={self.high!r}; swap them.")

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """Independent of every other draw."""
        return float(rng.uniform(self.low, self.high)), state

    def mean(self) -> float:
        """Halfway between the two."""
        return self.low + (self.high - self.low) / 2

    def quantile(self, q: float) -> float:
        """On the line from `low` to `high`."""
        return self.low + share_of("q", q) * (self.high - self.low)


@dataclass(frozen=True)
class LogNormal(LatencyModel):
    """The usual shape of inference and network times: a clear peak and a long tail of slow ones.

    Args:
        median: seconds, more than 0.
        sigma: standard deviation of the logarithm, 0 to 10; at 0.3 one draw in 40 is more than 1.8 medians.
    """

    median: float
    sigma: float

    def __post_init__(self) -> None:
        assign(self, median=positive("median", self.median), sigma=real_number("sigma", self.sigma, 0.0, 10.0))

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """Independent of every other draw."""
        return self.median * math.exp(self.sigma * rng.standard_normal()), state

    def mean(self) -> float:
        """More than the median, because of the tail."""
        return self.median * math.exp(self.sigma**2 / 2)

    def quantile(self, q: float) -> float:
        """Infinite at q = 1, unless sigma is 0."""
        share = share_of("q", q)
        if self.sigma == 0.0:
            return self.median
        if share in (0.0, 1.0):
            return math.inf if share else 0.0
        return self.median * math.exp(self.sigma * statistics.NormalDist().inv_cdf(share))
