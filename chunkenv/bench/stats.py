"""Intervals for solve rates: of one cell, pooled over tasks, and of the difference between two methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
RESAMPLES = 10_000


class Interval(NamedTuple):
    """An estimate with the ends of its confidence interval (NaN where there is too little to tell)."""

    estimate: float
    low: float
    high: float


def wilson(successes: int, episodes: int, confidence: float = CONFIDENCE) -> Interval:
    """A binomial proportion with Wilson's score interval, which keeps its level with few episodes and near 0 and 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    >>> tuple(round(value, 3) for value in wilson(9, 10))
    (0.9, 0.596, 0.982)
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / episodes
    centre = (rate + z**2 / (2 * episodes)) / (1 + z**2 / episodes)
    half = z / (1 + z**2 / episodes) * np.sqrt(rate * (1 - rate) / episodes + (z / (2 * episodes)) ** 2)
    # Without successes the interval begins at exactly 0, without failures it ends at 1: not a rounding error beside it.
    low = centre - half if successes else 0.0
    high = centre + half if successes < episodes else 1.0
    return Interval(rate, float(low), float(high))


def pooled(
    tasks: Sequence[ArrayLike], confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean over tasks of each task's mean over episodes, with a stratified percentile bootstrap interval.

    Tasks are fixed (the question is about these tasks), episodes are resampled inside each. Of n episodes n - 1 are
    drawn: drawing n would make intervals too short by sqrt((n - 1) / n), which is 30 % with two episodes a task. Tasks
    with a single episode say nothing about their own spread and are resampled as one group, which widens the interval.

    Source: J. N. K. Rao and C. F. J. Wu, "Resampling inference with complex survey data", JASA 83 (1988).

    Args:
        tasks: for each task its episodes' values [n]; n may differ between tasks.
        confidence: of the interval.
        resamples: bootstrap replicates.
        seed: of the resampling; the same seed gives the same interval.

    >>> pooled([[1, 1, 0], [1, 0, 0]]).estimate
    0.5
    """
    values = [np.asarray(task, np.float64) for task in tasks]
    estimate = float(np.mean([task.mean() for task in values]))
    strata = _strata(values)
    if any(len(episodes) < 2 for episodes, _ in strata):
        return Interval(estimate, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    means = sum(weight * _resampled_means(episodes, resamples, rng) for episodes, weight in strata)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(estimate, float(low), float(high))


def _strata(tasks: list[NDArray[np.float64]]) -> list[tuple[NDArray[np.float64], float]]:
    """Groups that are resampled by themselves, each with its weight: the share of the tasks that are in it."""
    single = [task for task in tasks if len(task) == 1]
    strata = [(task, 1 / len(tasks)) for task in tasks if len(task) > 1]
    return strata + ([(np.concatenate(single), len(single) / len(tasks))] if single else [])


def _resampled_means(episodes: NDArray[np.float64], resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    drawn = rng.integers(len(episodes), size=(resamples, len(episodes) - 1))
    return episodes[drawn].mean(axis=1)
