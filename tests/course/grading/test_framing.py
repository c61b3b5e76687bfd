"""Frames carry what they say, and nothing else is read."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chunkenv.course.grading.framing import (
    JSON_LENGTH,
    LENGTH,
    MAX_FRAME,
    FrameError,
    read_frame,
    receive_frame,
    write_frame,
)

KEYS = st.one_of(st.integers(), st.text(max_size=5), st.none(), st.booleans())
ARRAYS = hnp.arrays(
    st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1"]), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), ARRAYS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


def same(one, other):
    np.testing.assert_equal(one, other)
    return repr(one) == repr(other)


@given(VALUES)
@settings(deadline=None, max_examples=40)
def test_what_is_written_is_read(value):
    assert same(receive_frame(io.BytesIO(write_frame(value))), value)


def test_students_get_tuples_and_the_grader_gets_lists():
    frame = write_frame([(0, (1, [2])), {"pair": (np.arange(2), None)}])
    assert repr(receive_frame(io.BytesIO(frame))) == "[[0, [1, [2]]], {'pair': [array([0, 1]), None]}]"
    assert repr(receive_frame(io.BytesIO(frame), tuples=tuple)) == "[(0, (1, [2])), {'pair': (array([0, 1]), None)}]"


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=40)
def test_other_bytes_are_refused_in_one_way(body):
    with pytest.raises(FrameError):
        read_frame(JSON_LENGTH.pack(3) + body[:2])
    for data in (body, JSON_LENGTH.pack(len(body)) + body):
        try:
            read_frame(data)
        except FrameError:
            continue


@pytest.mark.parametrize(
    "tree",
    [
        {"array": ["|O", [1]]},
        {"array": ["<f8", [2**40]]},
        {"array": ["<f8", [-1]]},
        {"array": ["<f8", [True]]},
        {"array": ["<f8", [0, 2**62, 2**62]]},
        {"array": 3},
        {"pairs": [[[1], 2]]},
        {"pairs": [1]},
        {"tuple": 3},
        {"pairs": [[{"tuple": []}, 2]]},
        {"other": 1},
    ],
)
def test_json_that_describes_nothing_is_refused(tree):
    text = json.dumps(tree).encode()
    with pytest.raises(FrameError):
        read_frame(JSON_LENGTH.pack(len(text)) + text)


def test_what_is_too_deep_is_refused_on_both_sides():
    deep = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(FrameError, match="deep"):
        write_frame(deep)
    text = b"[" * 100_000
    with pytest.raises(FrameError):
        read_frame(JSON_LENGTH.pack(len(text)) + text)


@pytest.mark.parametrize("value", [object(), np.array([object()]), {1, 2}, 1j, b"x", np.array(["a"])])
def test_what_cannot_be_sent_is_named(value):
    with pytest.raises(FrameError, match="cannot be sent"):
        write_frame(value)


def test_a_long_message_is_not_read():
    with pytest.raises(FrameError, match="announced"):
        receive_frame(io.BytesIO(LENGTH.pack(MAX_FRAME + 1)))
    with pytest.raises(FrameError, match="at most"):
        write_frame(np.zeros(MAX_FRAME // 8 + 1))


def test_a_stream_that_ends_says_so():
    with pytest.raises(EOFError):
        receive_frame(io.BytesIO(write_frame("text")[:-1]))
