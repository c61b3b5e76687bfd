"""Whether values know the ticks to a goal: known cases, on a line."""

import numpy as np
import pytest

from chunkenv.training.value_gate import rank_correlation
from tests.agents.journeys import STATES, journeys

WAYS = journeys(range(11), [0, 1, 1, 1, 2, 3, 4], [4, 4, 4, 5, 6, 6, 7, 8])


def same(achieved, desired):
    return (achieved == desired).all(axis=1)


def correlation(value):
    """Of a value of state and goal, as numbers."""

    def values(seen):
        return value(seen[:, :STATES].argmax(axis=1), seen[:, STATES:].argmax(axis=1)).astype(float)

    return rank_correlation(values, WAYS, None, same)


def test_values_that_fall_with_the_ticks_to_the_goal_pass():
    assert correlation(lambda state, goal: 0.9 ** (goal - state)) > 0.9


def test_values_that_rise_with_them_fail():
    assert correlation(lambda state, goal: goal - state) < -0.9


def test_values_that_tell_nothing_have_no_correlation():
    assert np.isnan(correlation(lambda state, goal: np.ones(len(state))))


def test_the_ticks_are_those_until_the_goal_first_holds():
    """In an episode that waits at its goal a state there is at no distance, however late the goal was drawn."""
    waits = journeys([0, *[1] * 30])

    def values(seen):
        return (seen[:, :STATES].argmax(axis=1) == seen[:, STATES:].argmax(axis=1)).astype(float)

    assert rank_correlation(values, waits, None, same) == pytest.approx(1.0)
