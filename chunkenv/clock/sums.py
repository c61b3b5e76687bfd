"""Seconds in ticks, and what the rewards of a decision come to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def ticks(seconds: float, control_dt: float) -> int:
    """Whole control steps that `seconds` cover, rounded up.

    A ratio within a millionth of a whole number is that number, so that neither 0.1 s at 0.05 s, nor the same out of a
    float32 trace, becomes 3 by rounding.

    >>> ticks(0.1, 0.05), ticks(0.3, 0.1), ticks(0.101, 0.05), ticks(0.0, 0.05)
    (2, 3, 3, 0)
    """
    ratio = seconds / control_dt
    nearest = round(ratio)
    if abs(ratio - nearest) <= 1e-6 * max(1.0, ratio):
        return nearest
    return math.ceil(ratio)


def discounted_sum(rewards: Sequence[float], discount: float) -> float:
    """The reward of a decision: sum over i of discount**i * rewards[i] (Sutton, Precup and Singh 1999); 0.0 if none.

    >>> discounted_sum([1.0, 1.0, 1.0], 0.5)
    1.75
    """
    if not rewards:
        return 0.0
    total = float(rewards[-1])
    for reward in rewards[-2::-1]:
        total = float(reward) + discount * total
    return total


def bootstrap_discount(discount: float, ticks: int, terminated: bool) -> float:
    """What the value after a decision of `ticks` ticks is multiplied by: discount**ticks, 0 once the task has ended.

    A truncation keeps it: the task would have gone on.

    >>> bootstrap_discount(0.5, 3, terminated=False), bootstrap_discount(0.5, 3, terminated=True)
    (0.125, 0.0)
    """
    return 0.0 if terminated else discount**ticks


def discounted_sums(rewards: np.ndarray, ticks: np.ndarray, discount: float) -> np.ndarray:
    """`discounted_sum` of the first `ticks[i]` of each row of `rewards`, float64[N], to the bit.

    >>> discounted_sums(np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 0.0]]), np.array([3, 1]), 0.5)
    array([1.75, 2.  ])
    """
    if rewards.shape[1] and (ticks == rewards.shape[1]).all():
        return _discounted_whole(rewards, discount)
    total = np.zeros(len(rewards))
    for tick in range(rewards.shape[1] - 1, -1, -1):
        now = rewards[:, tick]
        last, played = ticks == tick + 1, ticks > tick
        total = np.where(last, now, np.where(played, now + discount * total, total))
    return total


def _discounted_whole(rewards: np.ndarray, discount: float) -> np.ndarray:
    """`discounted_sums` of whole rows, which most decisions are."""
    total = rewards[:, -1].astype(np.float64)
    for tick in range(rewards.shape[1] - 2, -1, -1):
        total = rewards[:, tick] + discount * total
    return total
