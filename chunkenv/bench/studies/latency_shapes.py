"""Latencies of equal means and different shapes, and what a method that plans expects of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chunkenv.bench.studies.measured_latency import CONTROL_DT
from chunkenv.bench.studies.methods import PREDICTION_HORIZON
from chunkenv.latency import Bursty, Delays, Latency, LatencyModel, LogNormal, Trace, Uniform
from chunkenv.utils.checks import one_of, whole_number

RECORDED = ("recorded", "measured")
"""Shapes that are replayed: they need a recording."""
SHAPES = ("constant", "uniform", "lognormal", "bursty", *RECORDED)
SPREAD = 0.5
"""Sigma of the lognormal latency: one inference in twenty takes more than 2.3 medians."""
CALM_SPREAD, ENTER, LEAVE, CONGESTED = 0.2, 0.05, 0.25, 4.0
"""The bursty latency is congested for four inferences on average, a sixth of the time, and four times as long then."""
DRAWS = 2000
LONGEST_PLANNED = PREDICTION_HORIZON // 2
"""A longer delay leaves ticks without a row whatever the horizon: delay <= s <= H - delay."""

Recordings = Mapping[str, Sequence[float]]
"""Seconds, by the name of the shape."""


class DelayPlan(NamedTuple):
    """What a method that plans takes the delay for.

    Attributes:
        delay_estimate: of its requests, as `ChunkOptions` takes it.
        delay: the delay in ticks that the execution horizon is chosen for: s = max(1, d).
    """

    delay_estimate: str
    delay: int


def latency_of(shape: str, mean_delay: int, recordings: Recordings) -> Latency:
    """A latency whose delays are `mean_delay` ticks on average, or nearly so.

    A latency is rounded up to ticks, by half a tick on average: so its own mean is half a tick less.

    Args:
        shape: one of `SHAPES`.
        mean_delay: in ticks, at least 1.
        recordings: of the shapes that are replayed; they are stretched to the mean.

    Raises:
        ArgumentError: another shape, or a mean below 1.

    >>> latency_of("constant", 2, {}), latency_of("recorded", 1, {"recorded": [1.0, 3.0]}).mean() * 30
    (2, 0.5)
    """
    whole_number("mean_delay", mean_delay, at_least=1)
    if one_of("latency", shape, SHAPES) == "constant":
        return mean_delay
    mean = (mean_delay - 0.5) * CONTROL_DT
    if shape == "uniform":
        return Uniform(0.0, 2 * mean)
    if shape == "lognormal":
        return _lognormal(mean, SPREAD)
    if shape == "bursty":
        share = ENTER / (ENTER + LEAVE)
        calm = mean / (1 - share + share * CONGESTED)
        return Bursty(_lognormal(calm, CALM_SPREAD), _lognormal(CONGESTED * calm, CALM_SPREAD), ENTER, LEAVE)
    recorded = np.asarray(recordings[shape], np.float64)
    return Trace((recorded * (mean / recorded.mean())).tolist())


def draw_delays(latency: Latency) -> NDArray[np.int64]:
    """Many delays in ticks of one long episode, int64[2000]: always the same ones."""
    delays = Delays(latency, CONTROL_DT)
    delays.reset(np.random.default_rng(0))
    return np.array([delays.next_whole() for _ in range(DRAWS)])


def plans_for(delays: NDArray[np.int64]) -> dict[str, DelayPlan]:
    """What a method expects that plans with the expected delay, and one that plans with the largest.

    Requests of the first expect the mean of the last ten delays, those of the second the largest of them; the execution
    horizon is chosen for the mean, or for the delay that nineteen in twenty do not exceed. Neither is planned with more
    than half a chunk.

    Args:
        delays: in ticks, as they are drawn.

    >>> plans_for(np.array([1, 1, 1, 3, 9]))
    {'expected': DelayPlan(delay_estimate='mean', delay=3), 'largest': DelayPlan(delay_estimate='max', delay=4)}
    """
    expected = math.floor(float(delays.mean()) + 0.5)
    largest = int(np.quantile(delays, 0.95, method="higher"))
    return {
        "expected": DelayPlan("mean", min(expected, LONGEST_PLANNED)),
        "largest": DelayPlan("max", min(largest, LONGEST_PLANNED)),
    }


def _lognormal(mean: float, sigma: float) -> LatencyModel:
    return LogNormal(mean * math.exp(-(sigma**2) / 2), sigma)
