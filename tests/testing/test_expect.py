"""Differences between nested values, as sentences."""

import random

import numpy as np
import pytest

from chunkenv.testing.expect import difference, global_randomness, seeded_global_randomness


@pytest.mark.parametrize(
    "value",
    [1, 1.5, float("nan"), "a", None, (1, [2.0]), {"a": np.arange(3)}, np.array([np.nan, 1.0]), np.array(["a"]), {}],
)
def test_a_value_is_the_same_as_itself(value):
    assert difference(value, value, "x") is None


@pytest.mark.parametrize(
    ("expected", "actual", "sentence"),
    [
        (1, 2, "x is 2; expected 1."),
        (1, True, "x is True; expected 1."),
        (1.0, np.float64(2.0), "x is 2.0; expected 1.0."),
        ("a", None, "x is None; expected 'a'."),
        ([1], [1, 2], "x has 2 items; expected 1."),
        ({"a": 1}, {"b": 1}, "x has the keys ['b']; expected ['a']."),
        ({"a": (0, [1])}, {"a": (0, [2])}, "x['a'][1][0] is 2; expected 1."),
        (np.zeros(2), np.zeros(3), "x has shape (3,); expected (2,)."),
        (np.zeros(2), np.zeros(2, np.float32), "x has dtype float32; expected float64."),
        (np.zeros(2), np.array([0.0, np.nan]), "x is [0.0, nan]; expected [0.0, 0.0]."),
        (np.zeros(2), {"a": 1}, "x has shape (); expected (2,)."),
    ],
)
def test_a_difference_is_named_with_its_place(expected, actual, sentence):
    assert difference(expected, actual, "x") == sentence


def test_global_randomness_is_sown_and_put_back():
    before = global_randomness()
    draws = []
    for seed in (1, 1, 2):
        with seeded_global_randomness(seed):
            draws.append((random.random(), np.random.random()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert all(one != other for one, other in zip(draws[0], draws[2], strict=True))
    assert difference(before, global_randomness(), "x") is None
