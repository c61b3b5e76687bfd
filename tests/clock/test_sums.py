"""Seconds in ticks, and what the rewards of a decision come to."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.clock import bootstrap_discount, discounted_sum, discounted_sums, ticks


@pytest.mark.parametrize(
    ("seconds", "control_dt", "expected"),
    [
        (0.1, 0.05, 2),
        (0.3, 0.1, 3),
        (0.7, 0.1, 7),
        (0.0, 0.05, 0),
        (1e-12, 0.05, 0),
        (0.0501, 0.05, 2),
        (0.0499, 0.05, 1),
        (3 / 30, 1 / 30, 3),
        (0.10000000149011612, 0.05, 2),  # float32(0.1)
        (1e6 * 0.02, 0.02, 1_000_000),
    ],
)
def test_seconds_to_ticks(seconds, control_dt, expected):
    assert ticks(seconds, control_dt) == expected


@given(st.integers(0, 10**6), st.floats(1e-4, 10.0))
def test_whole_multiples_stay_whole(count, control_dt):
    assert ticks(count * control_dt, control_dt) == count


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0, 1))
def test_discounted_sum_is_the_definition(rewards, discount):
    expected = math.fsum(discount**i * reward for i, reward in enumerate(rewards))
    assert discounted_sum(rewards, discount) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_one_reward_is_itself_to_the_bit():
    assert math.copysign(1.0, discounted_sum([-0.0], 0.5)) == -1.0
    assert discounted_sum([0.1], 0.3) == 0.1


@given(
    st.lists(st.lists(st.just(-0.0) | st.floats(), max_size=6), min_size=1, max_size=5),
    st.floats(0.0, 1.0),
)
def test_discounted_sums_are_those_of_each_to_the_bit(rows, discount):
    padded = np.zeros((len(rows), max(map(len, rows))))
    for line, row in zip(padded, rows, strict=True):
        line[: len(row)] = row
    with np.errstate(all="ignore"):
        sums = discounted_sums(padded, np.array([len(row) for row in rows]), discount)
    expected = [discounted_sum(row, discount) for row in rows]
    assert [math.copysign(1.0, one) for one in sums if one == one] == [
        math.copysign(1.0, one) for one in expected if one == one
    ]
    assert np.array_equal(sums, expected, equal_nan=True)


def test_only_the_end_of_the_task_stops_the_bootstrap():
    assert bootstrap_discount(0.9, 3, terminated=True) == 0.0
    assert bootstrap_discount(0.9, 3, terminated=False) == 0.9**3
