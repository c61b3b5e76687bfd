"""Checks of answers refuse what is wrong, whatever it is, and nothing that is right."""

import math

import numpy as np
import pytest

from chunkenv.course.grading import WrongAnswer, expect_array, expect_number, expect_same, read_array


@pytest.mark.parametrize("answer", [2, 2.0, 2.0000000001, np.array(2.0), np.array([2])])
def test_a_right_number_passes(answer):
    expect_number("f(1)", answer, 2)


@pytest.mark.parametrize("answer", [3, math.nan, math.inf, None, "2", True, [2], np.array([2, 2]), {}])
def test_a_wrong_number_is_quoted(answer):
    with pytest.raises(WrongAnswer, match=r"^f\(1\) is 2; your answer is "):
        expect_number("f(1)", answer, 2)


def test_an_array_is_compared_number_by_number():
    expect_array("g()", [[1, 2], [3, 4]], np.array([[1.0, 2.0], [3.0, 4.0]]))
    with pytest.raises(WrongAnswer, match=r"g\(\) is 4 at index \[1, 1\]; your answer has 5 there"):
        expect_array("g()", [[1, 2], [3, 5]], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([1.0], "has shape"),
        ([1.0, math.nan], "NaN"),
        ([[1.0], [2.0, 3.0]], "is an array"),
        ("12", "is an array"),
        (["1", "2"], "is an array"),
        (None, "is an array"),
    ],
)
def test_what_is_no_such_array_is_refused(answer, sentence):
    with pytest.raises(WrongAnswer, match=sentence):
        read_array("g()", answer, (2,))


def test_true_is_not_one():
    expect_same("h()", np.array([1, 2]), [1, 2])
    with pytest.raises(WrongAnswer):
        expect_same("h()", True, 1)
