"""Functions by their addresses: they are numpy's, and the C library's."""

import numba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.manipulation.engine import kinematics
from chunkenv.manipulation.engine.c_functions import call_real, native, take_number

reals = st.floats(-1e6, 1e6)


@numba.njit(cache=True)
def results(c, x, y):
    own = kinematics.desk()
    ours = kinematics.of_two(c.arctan2, own, x, y), kinematics.of_one(c.cos, own, x), kinematics.of_one(c.sin, own, x)
    return ours, call_real(c.power, (x, 2.0))


@numba.njit(cache=True)
def lengths(c, vector):
    return kinematics.length(c, vector)


@numba.njit(cache=True)
def counted(counter):
    return take_number(counter.ctypes.data)


@given(reals, reals)
@settings(deadline=None)  # compiling takes seconds
def test_functions_are_numpy_s_to_the_bit(x, y):
    assert results(native(), x, y) == ((np.arctan2(x, y), np.cos(x), np.sin(x)), x**2)


@settings(deadline=None)
@given(st.lists(reals, min_size=3, max_size=6).map(np.array))
def test_lengths(vector):
    c = native()
    np.testing.assert_allclose(lengths(c._replace(dot=0), vector), np.linalg.norm(vector), rtol=1e-12)
    if c.dot:
        assert lengths(c, vector) == np.linalg.norm(vector)


def test_numbers_are_taken_in_order():
    counter = np.zeros(1, np.int64)
    assert [counted(counter) for _ in range(3)] == [0, 1, 2]
    assert counter[0] == 3
