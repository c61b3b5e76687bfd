"""When a row is less sure than usual: thresholds by hand, memories, delays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chunkenv.errors import ArgumentError
from chunkenv.strategies.horizons.rolling_threshold import RollingThreshold
from tests.strategies.policies import requests


def asked(count, delay=0, horizons=(1, 4), ticks=0):
    request = requests(np.zeros((count, 4, 1)), [0] * count, delay=delay, ticks=np.broadcast_to(ticks, (count,)))
    return request._replace(horizons=horizons)


def choose(threshold, spread, **settings):
    spread = np.asarray(spread, float)
    return threshold.horizons(spread, asked(len(spread), **settings)).tolist()


def test_the_first_decision_is_held_to_its_own_rows():
    """Mean 2 and standard deviation sqrt(3): above 2 + sqrt(3) = 3.7 lies row 3 alone; above 0.2, row 0 is."""
    assert choose(RollingThreshold(1.0, 5), [[1, 1, 1, 5]]) == [3]
    assert choose(RollingThreshold(-1.0, 5), [[1, 1, 1, 5]]) == [1]  # row 0, but the least horizon is 1
    assert choose(RollingThreshold(2.0, 5), [[1, 1, 1, 5]]) == [4]


def test_rows_that_are_all_alike_are_executed_to_the_end():
    assert choose(RollingThreshold(0.0, 5), [[2, 2, 2, 2]]) == [4]


@pytest.mark.parametrize(("delay", "horizon"), [(0, 3), (1, 2), (2, 1), (3, 1)])
def test_rows_that_run_during_the_next_inference_count(delay, horizon):
    """Of s ticks and d ticks of delay the last row that runs is s + d - 1, and row 3 shall not run."""
    assert choose(RollingThreshold(1.0, 5), [[1, 1, 1, 5]], delay=delay) == [horizon]


def test_later_decisions_are_held_to_those_before():
    """What is unusual becomes usual when the window is full of it, and not by being there now."""
    threshold = RollingThreshold(1.0, window=2)
    assert choose(threshold, [[1, 1, 1, 1]], ticks=0) == [4]
    assert choose(threshold, [[1, 9, 1, 1]], ticks=4) == [1]  # held to 1, 1, 1, 1
    assert choose(threshold, [[1, 1, 9, 1]], ticks=5) == [2]  # to mean 2 and deviation sqrt(7)
    assert choose(threshold, [[4, 4, 4, 4]], ticks=7) == [4]  # to mean 3 and deviation sqrt(12)
    assert choose(threshold, [[4, 4, 4, 4]], ticks=11) == [4]
    assert choose(threshold, [[4, 4, 4, 9]], ticks=15) == [3]  # the nines of before are forgotten


def test_each_row_of_a_batch_begins_anew_where_its_episode_does():
    threshold = RollingThreshold(1.0, 5)
    choose(threshold, [[1, 1, 1, 1], [1, 1, 1, 1]], ticks=[0, 0])
    assert choose(threshold, [[9, 9, 9, 9], [9, 9, 9, 9]], ticks=[4, 0]) == [1, 4]
    threshold.forget()
    assert choose(threshold, [[9, 9, 9, 9]], ticks=8) == [4]


spreads = arrays(np.float64, (3, 2, 4), elements=st.floats(0.0, 10.0, width=16))


@settings(max_examples=50, deadline=None)
@given(spreads, st.sampled_from([-1.0, 0.0, 0.5, 2.0]))
def test_other_rows_of_the_batch_have_no_say(values, alpha):
    both, alone = RollingThreshold(alpha, 2), RollingThreshold(alpha, 2)
    for tick, spread in enumerate(values):
        assert choose(both, spread, ticks=4 * tick)[1:] == choose(alone, spread[1:], ticks=4 * tick)


@settings(max_examples=50, deadline=None)
@given(spreads)
def test_the_unit_does_not_matter_and_a_lower_alpha_asks_no_later(values):
    thresholds = [RollingThreshold(alpha, 2) for alpha in (0.5, 0.5, 0.0)]
    for tick, spread in enumerate(values):
        one, scaled, lower = (
            choose(threshold, factor * spread, ticks=4 * tick)
            for threshold, factor in zip(thresholds, (1.0, 8.0, 1.0), strict=True)
        )
        assert one == scaled
        assert all(np.less_equal(lower, one))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((float("nan"), 5), "alpha=nan"), (("much", 5), "alpha='much'"), ((1.0, 0), "window=0")],
)
def test_what_cannot_be_meant_is_refused(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        RollingThreshold(*arguments)


def test_a_batch_of_another_size_is_refused():
    threshold = RollingThreshold(1.0, 5)
    choose(threshold, [[1, 1, 1, 1]] * 2)
    with pytest.raises(ArgumentError, match="given 3 observations after 2; keep to one number"):
        choose(threshold, [[1, 1, 1, 1]] * 3, ticks=[4, 4, 0])


def test_an_environment_in_which_nobody_chooses_is_refused():
    words = r"horizons=None: the environment asks every 4 ticks, .* make it with execution_horizon=\(low, high\)"
    with pytest.raises(ArgumentError, match=words):
        choose(RollingThreshold(1.0, 5), [[1, 1, 1, 1]], horizons=None)
