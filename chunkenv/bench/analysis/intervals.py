"""Intervals: of a solve rate, of means over tasks, and of two methods compared on the same episodes.

Everything is seeded: the same numbers give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chunkenv.errors import ArgumentError

Values = NDArray[np.float64]
CONFIDENCE = 0.95
RESAMPLES = 10_000
MANY = 2**22
"""Numbers drawn at once. Above it, values of few kinds are drawn by their counts, which has the same distribution."""
KINDS = 16


class Interval(NamedTuple):
    """An estimate with the ends of its confidence interval (NaN where there is too little to tell)."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0: a difference that is certain enough to be said."""
        return self.low > 0 or self.high < 0


UNKNOWN = Interval(math.nan, math.nan, math.nan)
"""Of no episodes at all."""


def wilson(successes: float, episodes: float, confidence: float = CONFIDENCE) -> Interval:
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


def mean_rate(tasks: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> Interval:
    """The mean over tasks of the share of each task's episodes that succeeded, with Wilson's interval.

    Each task weighs the same. Tasks with other numbers of episodes are as many episodes as have the same variance,
    which is their sum where the numbers are equal. As the tasks differ in difficulty the interval is somewhat too wide:
    the sum over them varies less than a binomial. (A bootstrap over the episodes of each task would be too narrow: with
    three episodes a task, nine in ten solved, its 95 % cover 87 %.)

    Args:
        tasks: for each task how many succeeded, and of how many; tasks of none do not count.
        confidence: of the interval.

    Returns:
        NaN in all places if there are no episodes.

    >>> mean_rate([(1, 1), (0, 3)]).estimate, mean_rate([(2, 3), (3, 3)]) == wilson(5, 6)
    (0.5, True)
    """
    counts = [(successes, episodes) for successes, episodes in tasks if episodes]
    if not counts:
        return UNKNOWN
    if len({episodes for _, episodes in counts}) == 1:
        return wilson(sum(successes for successes, _ in counts), sum(episodes for _, episodes in counts), confidence)
    rate = sum(successes / episodes for successes, episodes in counts) / len(counts)
    alike = len(counts) ** 2 / sum(1 / episodes for _, episodes in counts)
    return wilson(rate * alike, alike, confidence)


def pooled(
    tasks: Sequence[ArrayLike],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """The mean over tasks of each task's mean over episodes, with a stratified percentile bootstrap interval.

    Tasks are fixed (the question is about these tasks), episodes are resampled inside each. Of n episodes n - 1 are
    drawn: drawing n would make intervals too short by sqrt((n - 1) / n), which is 30 % with two episodes a task. Tasks
    with a single episode say nothing about their own spread and are resampled as one group, which widens the interval.
    Where all episodes of each task are equal there is nothing to resample: see `bounds`.

    Source: J. N. K. Rao and C. F. J. Wu, "Resampling inference with complex survey data", JASA 83 (1988).

    Args:
        tasks: for each task its episodes' values [n]; n may differ between tasks.
        confidence: of the interval.
        resamples: bootstrap replicates.
        seed: of the resampling; the same seed gives the same interval.
        bounds: the least and the greatest value that an episode could have, if they are known. If no two episodes of a
            task differ, the interval holds what the mean could be if as many did as Wilson's interval allows; without
            bounds its ends are NaN.

    >>> pooled([[1, 1, 0], [1, 0, 0]]).estimate
    0.5
    >>> tuple(round(end, 3) for end in pooled([[0] * 20, [0] * 20], bounds=(-1, 1)))
    (0.0, -0.088, 0.088)
    """
    values = [np.asarray(task, np.float64) for task in tasks]
    if not values:
        return UNKNOWN
    estimate = float(np.mean([task.mean() for task in values]))
    strata = _strata(values)
    if any(len(episodes) < 2 for episodes, _ in strata):
        return Interval(estimate, math.nan, math.nan)
    if all(np.ptp(episodes) == 0 for episodes, _ in strata):
        return _all_alike(estimate, len(values) * min(_lengths(values)), bounds, confidence)
    rng = np.random.default_rng(seed)
    means = sum(weight * _resampled_means(episodes, resamples, rng) for episodes, weight in strata)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(estimate, float(low), float(high))


def _all_alike(
    estimate: float, episodes: int, bounds: tuple[float, float] | None, confidence: float = CONFIDENCE
) -> Interval:
    """The interval of a mean of episodes that do not differ: `episodes` did not, so only a small share does."""
    if bounds is None:
        return Interval(estimate, math.nan, math.nan)
    differ = wilson(0, episodes, confidence).high
    return Interval(estimate, estimate - differ * (estimate - bounds[0]), estimate + differ * (bounds[1] - estimate))


def _strata(tasks: list[Values]) -> list[tuple[Values, float]]:
    """Groups that are resampled by themselves, each with its weight: the share of the tasks that are in it."""
    single = [task for task in tasks if len(task) == 1]
    strata = [(task, 1 / len(tasks)) for task in tasks if len(task) > 1]
    return strata + ([(np.concatenate(single), len(single) / len(tasks))] if single else [])


def interquartile_mean(
    tasks: Sequence[ArrayLike], confidence: float = CONFIDENCE, resamples: int = 2_000, seed: int = 0
) -> Interval:
    """The mean of the middle half of all episodes' values, with a stratified percentile bootstrap interval.

    Less moved by a few extreme episodes than the mean, and less wasteful than the median. Each task weighs the same,
    whatever its number of episodes; an episode on the edge of the middle half counts in part. It says nothing about
    values of two kinds, such as success: give it returns or ticks.

    Source: R. Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS (2021).

    Args:
        tasks: for each task its episodes' values [n]; n may differ between tasks.
        confidence: of the interval.
        resamples: bootstrap replicates, drawn inside each task as in `pooled`.
        seed: of the resampling.

    >>> interquartile_mean([[0, 1, 2, 99]]).estimate
    1.5
    """
    values = [np.asarray(task, np.float64) for task in tasks]
    estimate = float(_middle(np.concatenate(values), np.repeat([1 / len(task) for task in values], _lengths(values))))
    strata = _strata(values)
    if any(len(episodes) < 2 for episodes, _ in strata):
        return Interval(estimate, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    weights = np.concatenate([np.full(len(task) - 1, weight / (len(task) - 1)) for task, weight in strata])
    rounds = _rounds(resamples, len(weights))
    middles = [_middle(_redraw([task for task, _ in strata], count, rng), weights) for count in rounds]
    low, high = np.quantile(np.concatenate(middles), [(1 - confidence) / 2, (1 + confidence) / 2])
    if math.isclose(low, high):  # the middle half is of one value: nothing is known of its spread
        return Interval(estimate, math.nan, math.nan)
    return Interval(estimate, float(low), float(high))


def paired_difference(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], confidence: float = CONFIDENCE, seed: int = 0
) -> Interval:
    """The mean over tasks of `first` minus `second`, on the same episodes, with its interval.

    Of values that are all 0 or 1, such as success, it has a width also where no pair differs (see `pooled`).

    Args:
        first: for each task the episodes' values [n] under one method.
        second: of the same episodes, in the same order, under another.
        confidence: of the interval.
        seed: of the resampling.

    >>> paired_difference([[1, 1], [0, 1]], [[0, 0], [0, 1]]).estimate
    0.5
    """
    pairs = _pairs(first, second)
    truths = all(np.isin(values, (0, 1)).all() for pair in pairs for values in pair)
    return pooled([one - other for one, other in pairs], confidence, seed=seed, bounds=(-1, 1) if truths else None)


def probability_of_improvement(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], confidence: float = CONFIDENCE, seed: int = 0
) -> Interval:
    """How probable it is that `first` beats `second` on an episode of a random task; a tie counts half.

    That of Agarwal et al. (2021), but of pairs: both methods play the same episode, where theirs compares runs that
    have nothing in common.

    Args:
        first: for each task the episodes' values [n] under one method; more is better.
        second: of the same episodes, in the same order, under another.
        confidence: of the interval.
        seed: of the resampling.

    >>> probability_of_improvement([[3, 2], [1, 1]], [[1, 1], [1, 1]]).estimate
    0.75
    """
    wins = [(one > other) + (one == other) / 2 for one, other in _pairs(first, second)]
    return pooled(wins, confidence, seed=seed, bounds=(0, 1))


def _pairs(first: Sequence[ArrayLike], second: Sequence[ArrayLike]) -> list[tuple[Values, Values]]:
    ones, others = ([np.asarray(task, np.float64) for task in tasks] for tasks in (first, second))
    if _lengths(ones) != _lengths(others):
        raise ArgumentError(
            f"the first method has {_lengths(ones)} episodes by task and the second {_lengths(others)}; give both the "
            "same episodes."
        )
    return list(zip(ones, others, strict=True))


def _middle(values: Values, weights: Values) -> Values:
    """The mean of the middle half of weighted values [..., n]; weights float[n] of any sum."""
    order = np.argsort(values, axis=-1)
    shares = weights[order] / weights.sum()
    ends = np.cumsum(shares, axis=-1)
    inside = np.clip(np.minimum(ends, 0.75) - np.maximum(ends - shares, 0.25), 0, None)
    return (np.take_along_axis(values, order, axis=-1) * inside).sum(-1) / inside.sum(-1)


def _redraw(strata: list[Values], count: int, rng: np.random.Generator) -> Values:
    """Resampled values [count, n], stratum by stratum."""
    drawn = [episodes[rng.integers(len(episodes), size=(count, len(episodes) - 1))] for episodes in strata]
    return np.concatenate(drawn, axis=1)


def _resampled_means(episodes: Values, resamples: int, rng: np.random.Generator) -> Values:
    kinds, counts = np.unique(episodes, return_counts=True)
    drawn = len(episodes) - 1
    if resamples * drawn > MANY and len(kinds) <= KINDS:
        return rng.multinomial(drawn, counts / len(episodes), size=resamples) @ kinds / drawn
    rounds = _rounds(resamples, drawn)
    return np.concatenate([_redraw([episodes], count, rng).mean(axis=1) for count in rounds])


def _rounds(resamples: int, length: int) -> list[int]:
    """How many resamples are drawn at once, so that memory does not depend on the number of episodes."""
    at_once = max(1, MANY // length)
    return [min(at_once, resamples - start) for start in range(0, resamples, at_once)]


def _lengths(tasks: Sequence[Values]) -> list[int]:
    return [len(task) for task in tasks]
