"""What environments may play and what came of it, counted as by hand."""

import numpy as np
import pytest

pytest.importorskip("numba")

from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.tallies import TickAllowance, allow, tally

LIMIT = 10


def test_no_more_is_allowed_than_the_time_limit_leaves():
    states = np.zeros(4, STATE)
    states["ticks"], states["distance"] = [0, 8, 10, 12], [1.5, 2.5, 3.5, 4.5]
    allowance = allow(states, np.array([3, 3, 0, 1]), LIMIT)
    assert allowance.ticks.tolist() == [3, 2, 0, 0]
    assert allowance.before.tolist() == [0, 8, 10, 12]
    assert allowance.distances.tolist() == [1.5, 2.5, 3.5, 4.5]


def test_ends_and_the_limit_are_told_apart():
    """Nothing ends, success with the second tick, failure with the last before the limit, the limit, none played."""
    ticks, before, ends = np.array([3, 3, 3, 3, 0]), np.array([0, 0, 7, 7, 9]), np.array([3, 1, 2, 3, 0])
    rewards = np.zeros((5, 3), np.float32)
    rewards[1, 1], rewards[2, 2] = 1, -1
    came = tally(TickAllowance(ticks, before, np.zeros(5, np.float32)), ends, rewards, LIMIT)
    assert came.counts.tolist() == [3, 2, 3, 3, 0]
    assert came.played.sum(axis=1).tolist() == came.counts.tolist()
    assert came.played[1].tolist() == [True, True, False]
    assert came.moved.tolist() == [True, True, True, True, False]
    assert came.terminated.tolist() == [False, True, True, False, False]
    assert came.truncated.tolist() == [False, False, True, True, False]
    assert came.success.tolist() == [False, True, False, False, False]
