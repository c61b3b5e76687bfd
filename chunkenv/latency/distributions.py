"""The models whose draws are independent and have a closed form."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import assign, positive, seconds_of, share_of
from chunkenv.latency.model import LatencyModel, Spec, State, name_of
from chunkenv.utils.checks import real_number


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

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float, State]:
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

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float, State]:
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

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float, State]:
        """Independent of every other draw."""
        if self.cv == 0.0:
            return self.average, state
        return self.average * self.cv**2 * float(rng.gamma(self.cv**-2)), state

    def mean(self) -> float:
        """The mean that it was made with."""
        return self.average

    def quantile(self, q: float) -> float:
        """By bisection, since numpy has no quantiles of it; infinite at q = 1, unless cv is 0."""
        share = share_of("q", q)
        if self.cv == 0.0:
            return self.average
        if share in (0.0, 1.0):
            return math.inf if share else 0.0
        return self.average * self.cv**2 * _gamma_quantile(self.cv**-2, share)

    def spec(self) -> Spec:
        """Plain data with the names of the constructor."""
        return {"model": name_of(type(self)), "mean": self.average, "cv": self.cv}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.average!r}, cv={self.cv!r})"


def _gamma_quantile(shape: float, share: float) -> float:
    """The x below which a share of the gamma distribution of scale 1 lies, by bisection."""
    low, high = 0.0, shape + 10.0 * math.sqrt(shape) + 50.0  # nothing that a float can tell from 1 lies above
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _gamma_cdf(shape, middle) < share else (low, middle)
    return high


def _gamma_cdf(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function, by the power series of DLMF 8.7.1."""
    terms = int(max(x - shape, 0.0) + 10.0 * math.sqrt(shape + x)) + 50
    series = 1.0 + np.cumprod(x / (shape + np.arange(1, terms))).sum()
    return float(series) * math.exp(shape * math.log(x) - x - math.lgamma(shape + 1.0))
