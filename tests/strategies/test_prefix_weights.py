"""The mask, against the worked example, the paper's formula and its properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.strategies.prefix_weights import SCHEDULES, prefix_weights, request_weights
from tests.strategies.policies import requests


def test_the_worked_example():
    expected = [1, 1, 4 / 5, 3 / 5, 2 / 5, 1 / 5, 0, 0, 0, 0]
    np.testing.assert_allclose(prefix_weights(2, 6, 10, "linear"), expected, rtol=1e-6)


def test_the_exponential_of_the_worked_example():
    linear = [1, 1, 4 / 5, 3 / 5, 2 / 5, 1 / 5, 0, 0, 0, 0]
    expected = [w * (math.exp(w) - 1) / (math.e - 1) for w in linear]
    np.testing.assert_allclose(prefix_weights(2, 6, 10, "exp"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"), [("ones", [1, 1, 1, 1, 0, 0]), ("zeros", [1, 1, 0, 0, 0, 0])], ids=["ones", "zeros"]
)
def test_the_hard_schedules(schedule, expected):
    np.testing.assert_array_equal(prefix_weights(2, 4, 6, schedule), expected)


@given(st.integers(1, 12).flatmap(lambda h: st.tuples(st.just(h), st.integers(0, h), st.integers(0, h))))
def test_properties(numbers):
    horizon, start, end = numbers
    hard, soft, linear, ones = (
        prefix_weights(start, end, horizon, name) for name in ("zeros", "exp", "linear", "ones")
    )
    frozen = min(start, end)
    for weights in (hard, soft, linear, ones):
        assert weights.dtype == np.float32
        assert (weights[:frozen] == 1).all()
        assert (weights[end:] == 0).all()
        assert (np.diff(weights) <= 0).all()
    assert (hard <= soft + 1e-6).all()
    assert (soft <= linear + 1e-6).all()
    assert (linear <= ones).all()
    assert ((soft[frozen:end] > 0) & (soft[frozen:end] < 1)).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_many_are_each_alone(schedule):
    starts, ends = np.array([0, 1, 3, 6, 2]), np.array([0, 4, 3, 5, 8])
    many = prefix_weights(starts, ends, 8, schedule)
    alone = [prefix_weights(int(start), int(end), 8, schedule) for start, end in zip(starts, ends, strict=True)]
    np.testing.assert_array_equal(many, alone)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((2, 6, 0, "exp"), "prediction_horizon=0 is too small"),
        ((2, 6, 10, "expp"), "schedule='expp' is unknown; did you mean 'exp'?"),
        ((-1, 6, 10), "start=-1 is no number of rows"),
        ((2, 11, 10), "end=11 is no number of rows; give an int (or one for each request) from 0 to 10."),
        ((2.0, 6, 10), "start=2.0 is no number of rows"),
    ],
)
def test_what_cannot_be_meant(arguments, words):
    with pytest.raises(ArgumentError) as error:
        prefix_weights(*arguments)
    assert words in str(error.value)


def test_a_request_is_masked_by_its_own_delay_and_rows_left():
    request = requests(np.zeros((4, 10, 1)), lengths=[6, 6, 3, 0], delay=[2, 0, 2, 2], execution_horizon=4)
    expected = [prefix_weights(2, 6, 10), prefix_weights(0, 6, 10), prefix_weights(2, 3, 10), np.zeros(10)]
    np.testing.assert_array_equal(request_weights(request, 10), expected)


def test_a_late_request_ends_where_its_plan_ends():
    """After a cycle of 6 ticks only 4 of 10 rows are left, not H - s = 6."""
    request = requests(np.zeros((1, 10, 1)), lengths=[4], delay=[6], execution_horizon=4)
    np.testing.assert_array_equal(request_weights(request, 10)[0], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0])


def test_the_mask_ends_where_the_paper_ends_it():
    """More rows are left than H - s after a short cycle: those from H - s on are free, as in RTC."""
    request = requests(np.zeros((1, 10, 1)), lengths=[9], delay=[2], execution_horizon=4)
    np.testing.assert_array_equal(request_weights(request, 10)[0], prefix_weights(2, 6, 10))
