"""Eight floats as one number: each lane to the bit what a float does, whatever is in the others."""

import math
import operator

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.kinetix.engine import simd as lanes
from chunkenv.kinetix.engine.simd import group_memory, viewer

floats = st.floats(width=32) | st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf])
eight = st.lists(floats, min_size=8, max_size=8).map(lambda values: np.array(values, np.float32))

VEC = np.dtype([("x", np.float32), ("y", np.float32)])
RECORD = np.dtype([("x", np.float32), ("y", np.float32), ("mark", np.uint32), ("out", np.float32), ("path", VEC, (3,))])
as_group, as_lane = viewer(RECORD)


def compiled(function):
    return numba.njit(error_model="numpy")(function)


BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "smaller": lambda x, y: lanes.select(x < y, x, y),
    "at most": lambda x, y: lanes.select(x <= y, x, y),
    "larger": lambda x, y: lanes.select(x > y, x, y),
    "at least": lambda x, y: lanes.select(x >= y, x, y),
    "equal": lambda x, y: lanes.select(x == y, x, -y),
    "different": lambda x, y: lanes.select(x != y, x, -y),
    "both": lambda x, y: lanes.select((x > y) & (x != y), x, y),
    "either": lambda x, y: lanes.select((x > y) | (y != y), x, y),
    "absolute": lambda x, y: lanes.absolute(x) - y,
    "root": lambda x, y: lanes.root(x) * y,
    "sine": lambda x, y: lanes.sine(x) * y,
    "cosine": lambda x, y: lanes.cosine(x) * y,
    "tanh": lambda x, y: lanes.hyperbolic_tangent(x) * y,
    "angle": lambda x, y: lanes.arc_tangent(x, y),
    "like": lambda x, y: x * lanes.like(np.float32(3), y),
}


def both_ways(function):
    """A function over floats, one after the other, and over lanes."""
    inner = compiled(function)

    @compiled
    def alone(xs, ys, out):
        for k in range(len(xs)):
            out[k] = inner(xs[k], ys[k])

    @compiled
    def together(memory):
        group = as_group(memory)
        group.out = inner(group.x, group.y)

    return alone, together


WAYS = {name: both_ways(function) for name, function in BINARY.items()}


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=60, deadline=None)
@given(xs=eight, ys=eight)
def test_each_lane_is_what_a_float_does(name, xs, ys):
    alone, together = WAYS[name]
    expected, memory = np.empty(8, np.float32), group_memory(RECORD)
    alone(xs, ys, expected)
    memory[:16] = np.concatenate([xs, ys])
    together(memory)
    ours = memory[24:32]
    same = (ours.view(np.uint32) == expected.view(np.uint32)) | (np.isnan(ours) & np.isnan(expected))
    assert same.all(), (name, ours, expected)


@compiled
def _with_floats(memory, number):
    group = as_group(memory)
    group.out = (number - group.x) * number + group.x / number
    group.out += number
    group.x = number


@settings(deadline=None)
@given(eight, st.floats(-1e3, 1e3, width=32))
def test_a_float_is_eight_equal_ones(xs, number):
    memory, number = group_memory(RECORD), np.float32(number)
    memory[:8] = xs
    with np.errstate(all="ignore"):
        expected = (number - xs) * number + xs / number + number
    _with_floats(memory, number)
    np.testing.assert_array_equal(memory[24:32], expected)
    np.testing.assert_array_equal(memory[:8], np.repeat(number, 8))


@compiled
def _truths(memory):
    group = as_group(memory)
    above = group.x > group.y
    return lanes.bits(above), lanes.anywhere(above), lanes.everywhere(above)


@settings(deadline=None)
@given(eight, eight)
def test_truths_as_bits(xs, ys):
    memory = group_memory(RECORD)
    memory[:16] = np.concatenate([xs, ys])
    above = xs > ys
    assert _truths(memory) == (int(above @ (1 << np.arange(8))), above.any(), above.all())


@compiled
def _write_lanes(memory):
    for k in range(np.uint64(8)):
        one = as_lane(memory, k)
        one.x = np.float32(k)
        one.mark = k * np.uint64(10)
        for i in range(np.uint64(3)):
            one.path[i].y = np.float32(k) + np.float32(100) * np.float32(i)


@compiled
def _read_group(memory):
    group = as_group(memory)
    group.out = group.x + group.path[2].y
    return group.mark[3], lanes.lane(group.out, np.uint64(7))


def test_a_lane_and_the_group_are_the_same_memory():
    memory = group_memory(RECORD)
    _write_lanes(memory)
    assert _read_group(memory) == (30, 214)
    np.testing.assert_array_equal(memory[24:32], 2 * np.arange(8) + 200)
    assert memory.view(np.uint32)[16:24].tolist() == list(range(0, 80, 10))


@compiled
def _add_one(memory, starts):
    lanes.scatter(memory, starts, np.uint64(2), lanes.gather(memory, starts, np.uint64(1)) + np.float32(1))


def test_gather_and_scatter():
    memory = np.arange(100, dtype=np.float32)
    starts = np.array([0, 10, 20, 90, 40, 50, 60, 70], np.uint32)
    expected = memory.copy()
    expected[starts + 2] = memory[starts + 1] + 1
    _add_one(memory, starts)
    np.testing.assert_array_equal(memory, expected)


def test_memory_starts_where_cache_lines_do():
    for _ in range(5):
        memory = group_memory(RECORD)
        assert memory.ctypes.data % 64 == 0
        assert memory.nbytes == 8 * RECORD.itemsize


def test_plain_python_has_them_too():
    assert lanes.select(True, 1, 2) == 1
    assert lanes.anywhere(True)
    assert lanes.everywhere(True)
    assert lanes.like(3, 1.0) == 3
    plain = lanes.absolute(-2.0), lanes.root(4.0), lanes.sine(0.0), lanes.cosine(0.0), lanes.hyperbolic_tangent(0.0)
    assert plain == (2, 2, 0, 1, 0)
    assert lanes.arc_tangent(1.0, 0.0) == math.pi / 2


def test_lanes_do_not_mix_with_what_they_are_not():
    @compiled
    def wrong(memory):
        group = as_group(memory)
        group.out = operator.add(group.x, "text")

    with pytest.raises(numba.TypingError):
        wrong(group_memory(RECORD))
