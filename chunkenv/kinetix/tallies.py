"""What goes into a call of the engine and what came of it, environment by environment.

Compiled: as twenty calls of numpy, on a few hundred numbers each, it would cost as much as tens of ticks of the engine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.utils.compile import entry


class TickAllowance(NamedTuple):
    """What N environments may play.

    Attributes:
        ticks: int64[N], those wanted up to the time limit.
        before: int64[N], the ticks of each episode so far.
        distances: float32[N], the distance of green and blue so far, in m.
    """

    ticks: np.ndarray
    before: np.ndarray
    distances: np.ndarray


class TickTally(NamedTuple):
    """What N environments played.

    Attributes:
        counts: int64[N], the ticks played: an end stops an episode.
        played: bool[N, T], which ticks these are.
        moved: bool[N], whether there are any.
        terminated: bool[N].
        truncated: bool[N], whether the time limit was reached.
        success: bool[N], whether green touched blue.
    """

    counts: np.ndarray
    played: np.ndarray
    moved: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    success: np.ndarray


@entry
def allow(states, wanted, limit):
    """The `TickAllowance` of N states, `STATE[N]`, with so many ticks wanted (int64[N]) and a time limit."""
    n = wanted.size
    ticks, before, distances = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.float32)
    for i in range(n):
        before[i], distances[i] = states[i].ticks, states[i].distance
        ticks[i] = min(wanted[i], max(limit - before[i], 0))
    return TickAllowance(ticks, before, distances)


@entry
def tally(allowance, ends, rewards, limit):
    """The `TickTally` of ticks with ends (int64[N]) and sparse rewards (float32[N, T]) as `PlayedChunks` has them."""
    n, longest = rewards.shape
    counts, played = np.empty(n, np.int64), np.empty((n, longest), np.bool_)
    moved, terminated, truncated = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n, np.bool_)
    success = np.zeros(n, np.bool_)
    for i in range(n):
        wanted = allowance.ticks[i]
        terminated[i] = wanted > 0 and ends[i] < wanted
        counts[i] = ends[i] + 1 if terminated[i] else wanted
        moved[i] = counts[i] > 0
        truncated[i] = moved[i] and allowance.before[i] + counts[i] >= limit
        for t in range(longest):
            played[i, t] = t < counts[i]
            success[i] |= rewards[i, t] > 0
    return TickTally(counts, played, moved, terminated, truncated, success)
