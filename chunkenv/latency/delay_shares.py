"""Recorded latencies in ticks, at the rates at which robots are controlled, and whether slow ones come together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from chunkenv.clock import ticks

RATES = (10, 20, 50, 100)
"""Control steps per second."""


def delay_shares(seconds: Iterable[float], rate: float) -> dict[int, float]:
    """How often a latency is how many ticks, from the least delay on.

    Args:
        seconds: latencies, at least one.
        rate: control steps per second, more than 0.

    >>> delay_shares([0.02, 0.03, 0.05, 0.11], rate=20)
    {1: 0.75, 3: 0.25}
    """
    counts = Counter(ticks(each, 1.0 / rate) for each in seconds)
    return {delay: counts[delay] / counts.total() for delay in sorted(counts)}


def correlation(episodes: Iterable[Sequence[float]]) -> float:
    """The correlation of a latency's rank with that of the one before it in its episode; NaN if it is not defined.

    Near 0 if each is independent of the last; above 0 if slow ones come together. Ranks, because one that is very slow
    would decide it alone.

    >>> correlation([[0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1]]).__round__(3)
    0.467
    """
    read = [np.asarray(episode, np.float64) for episode in episodes]
    before = _ranks(np.concatenate([episode[:-1] for episode in read] or [np.zeros(0)]))
    after = _ranks(np.concatenate([episode[1:] for episode in read] or [np.zeros(0)]))
    if len(before) < 2 or not before.std() or not after.std():
        return math.nan
    return float(np.corrcoef(before, after)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """The place of each value in their order, that of ties their mean place."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2.0)[inverse]
