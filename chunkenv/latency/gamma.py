"""The gamma distribution, with its quantiles: numpy has none, and scipy is not needed for one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import assign, positive, share_of
from chunkenv.latency.model import LatencyModel
from chunkenv.latency.names import name_of
from chunkenv.utils.checks import real_number


@dataclass(frozen=True, init=False, repr=False)
class Gamma(LatencyModel):
    """A sum of many small waits, such as queues: a tail lighter than that of `LogNormal`.

    Args:
        mean: seconds, more than 0.
        cv: coefficient of variation, the standard deviation as a share of the mean: 0, or 0.0001 to 100.
    """

    average: float
    cv: float

    def __init__(self, mean: float, cv: float) -> None:
        assign(self, average=positive("mean", mean), cv=real_number("cv", cv, 0.0, 100.0))
        if 0.0 < self.cv < 1e-4:
            raise ArgumentError(f"cv={cv!r} is too little to be drawn; give 0 for no spread, or at least 0.0001.")

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """Independent of every other draw."""
        if self.cv == 0.0:
            return self.average, state
        return self.average * self.cv**2 * float(rng.gamma(self.cv**-2)), state

    def mean(self) -> float:
        """The mean that it was made with."""
        return self.average

    def quantile(self, q: float) -> float:
        """Found by bisection; infinite at q = 1, unless cv is 0."""
        share = share_of("q", q)
        if self.cv == 0.0:
            return self.average
        if share in (0.0, 1.0):
            return math.inf if share else 0.0
        return self.average * self.cv**2 * _quantile(self.cv**-2, share)

    def spec(self) -> dict[str, Any]:
        """Plain data with the names of the constructor."""
        return {"model": name_of(type(self)), "mean": self.average, "cv": self.cv}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.average!r}, cv={self.cv!r})"


def _quantile(shape: float, share: float) -> float:
    """The x below which a share of the gamma distribution of scale 1 lies, by bisection."""
    low, high = 0.0, shape + 10.0 * math.sqrt(shape) + 50.0  # nothing that a float can tell from 1 lies above
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _cdf(shape, middle) < share else (low, middle)
    return high


def _cdf(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function, by the power series of DLMF 8.7.1."""
    terms = int(max(x - shape, 0.0) + 10.0 * math.sqrt(shape + x)) + 50
    series = 1.0 + np.cumprod(x / (shape + np.arange(1, terms))).sum()
    return float(series) * math.exp(shape * math.log(x) - x - math.lgamma(shape + 1.0))
