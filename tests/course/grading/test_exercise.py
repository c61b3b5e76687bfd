"""A test of an assignment says what is wrong with it."""

import math

import pytest

from chunkenv.course.grading import Test
from chunkenv.course.grading.exercise import read_share
from chunkenv.errors import ArgumentError


def make(points=5, visibility="visible"):
    return Test("a name", "1.1", points, visibility, lambda student: None)


@pytest.mark.parametrize("arguments", [{"points": 0}, {"points": -1}, {"points": "5"}, {"visibility": "secret"}])
def test_a_wrong_argument_is_refused(arguments):
    with pytest.raises(ArgumentError):
        make(**arguments)


def test_none_is_all_points():
    assert read_share(make(), None) == 1
    assert read_share(make(), 0.25) == 0.25


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan, "1"])
def test_a_share_that_is_none_is_the_instructors_mistake(share):
    with pytest.raises(ArgumentError, match=r"test 1\.1 returned"):
        read_share(make(), share)
