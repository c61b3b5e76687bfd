import copy
import json

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector.utils import concatenate, create_empty_array
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.errors import ActionError, ArgumentError
from chunkenv.utils.spaces import Checked, chunk_space, cut, leaves, map_parts, padding, split, zeros
from tests.worlds import ACTIONS

BYTES = spaces.Box(0, 255, (2,), np.uint8)
SIGNED = spaces.Box(-100, 100, (2,), np.int8)
SPACES = {
    **ACTIONS,
    "bytes": BYTES,
    "signed": SIGNED,
    "scalar whole": spaces.Box(-3, 3, (), np.int16),
    "without zero": spaces.Box(np.float32([1, -3]), np.float32([2, -2])),
    "shifted": spaces.MultiDiscrete([2, 3], start=[4, -9]),
    "around zero": spaces.Discrete(5, start=-2),
    "without zero, nested": spaces.Tuple((spaces.Box(-1.0, 1.0, (1,)), spaces.Box(2, 3, (1,), np.int64))),
}
HORIZON = 5
any_space = st.sampled_from(list(SPACES.values()))
any_seed = st.integers(0, 2**32 - 1)
each_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


def sample(space, seed):
    space = copy.deepcopy(space)
    space.seed(seed)
    return space.sample()


def arrays(space, value):
    """The leaf values of a nested value, in the order of the leaves."""
    found = []
    map_parts(lambda leaf, part: found.append(np.asarray(part)), space, value)
    return found


def as_json(space, value):
    """What is left of a value after a way through JSON: dicts, lists, ints and floats."""
    return json.loads(json.dumps(map_parts(lambda leaf, part: np.asarray(part).tolist(), space, value)))


def assert_same(expected, got):
    assert data_equivalence(expected, got, exact=True), f"{expected!r} != {got!r}"


# ---------------------------------------------------------------- Checked: what passes


@given(any_space, any_seed)
def test_members_and_chunks_of_members_pass_unchanged(space, seed):
    for each in (space, chunk_space(space, HORIZON)):
        value = sample(each, seed)
        read = Checked(each, "value")(value)
        assert each.contains(read)
        for leaf, before, after in zip(leaves(each), arrays(each, value), arrays(each, read), strict=True):
            assert after.dtype == leaf.dtype
            assert (before == after).all()


@given(any_space, any_seed)
def test_what_is_read_is_a_copy(space, seed):
    chunks = chunk_space(space, HORIZON)
    value = sample(chunks, seed)
    for before, after in zip(arrays(chunks, value), arrays(chunks, Checked(chunks, "chunk")(value)), strict=True):
        assert not np.shares_memory(before, after)


@given(any_space, any_seed)
def test_a_way_through_json_changes_nothing(space, seed):
    for each in (space, chunk_space(space, HORIZON)):
        value = sample(each, seed)
        assert_same(Checked(each, "value")(value), Checked(each, "value")(as_json(each, value)))


@given(
    space=st.sampled_from([BYTES, SIGNED]),
    numbers=st.lists(st.integers(-300, 300), min_size=2, max_size=2),
    dtype=st.sampled_from([np.int64, np.int32, np.int16, ">i8"]),
)
def test_whole_numbers_pass_in_any_dtype_if_they_are_members(space, numbers, dtype):
    read, value = Checked(space, "action"), np.array(numbers, dtype)
    if all(space.low[0] <= number <= space.high[0] for number in numbers):
        assert_same(np.array(numbers, space.dtype), read(value))
    else:
        with pytest.raises(ActionError, match=r"the action \[.*\] is out of range; expected a member of Box"):
            read(value)


def test_real_numbers_may_leave_a_box():
    assert_same(np.array([2.0, -9.0], np.float32), Checked(ACTIONS["box"], "action")([2, -9]))


# ---------------------------------------------------------------- Checked: what is refused


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (BYTES, [256, 0]),
        (BYTES, [-1, 0]),
        (BYTES, np.array([2**63, 0], np.uint64)),
        (SIGNED, [300, 0]),
        (SIGNED, [101, 0]),
        (spaces.Box(-(2**63), 2**63 - 1, (1,), np.int64), np.array([2**63], np.uint64)),
        (spaces.Box(0, 2**64 - 1, (1,), np.uint64), [-1]),
        (ACTIONS["multibinary"], [256, 0, 0]),
        (ACTIONS["multibinary"], [2, 0, 0]),
        (ACTIONS["multidiscrete"], [2, 0]),
        (ACTIONS["multidiscrete"], [-1, 0]),
        (ACTIONS["discrete"], 4),
        (ACTIONS["discrete"], 8),
        (spaces.Discrete(2), np.uint64(2**63)),
    ],
)
def test_whole_numbers_that_do_not_fit_are_out_of_range(space, value):
    with pytest.raises(ActionError, match="is out of range; expected a member of"):
        Checked(space, "action")(value)


@pytest.mark.parametrize("value", [[0.0, 1.0], np.zeros(2, np.float32), np.zeros(2, complex), ["0", "1"], [0, 2**70]])
@pytest.mark.parametrize("space", [BYTES, SIGNED, ACTIONS["multidiscrete"]])
def test_only_whole_numbers_pass_where_whole_numbers_are_due(space, value):
    with pytest.raises(ActionError, match=r"has dtype .*; expected"):
        Checked(space, "action")(value)


@given(any_space, any_seed, st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
def test_one_number_that_is_not_finite_is_found_anywhere(space, seed, bad, data):
    chunks = chunk_space(space, HORIZON)
    chunk = sample(chunks, seed)
    real = [array for array in arrays(chunks, chunk) if array.dtype.kind == "f"]
    if real:
        array = data.draw(st.sampled_from(real))
        array.flat[data.draw(st.integers(0, array.size - 1))] = bad
        with pytest.raises(ActionError, match=rf"has the value {bad} at index .*; expected finite numbers"):
            Checked(chunks, "chunk")(chunk)


@each_space
def test_a_chunk_with_a_row_too_many_is_refused(space):
    with pytest.raises(ActionError, match="has shape"):
        Checked(chunk_space(space, 3), "chunk")(sample(chunk_space(space, 4), 0))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("dict", {"arm": [0.0, 0.0]}, r"the action has \['arm'\]; expected a dict with the keys \['arm', 'grip'\]"),
        ("dict", {"arm": [0.0, 0.0], "grip": 0, "leg": 1}, r"expected a dict with the keys \['arm', 'grip'\]"),
        ("dict", [0.0, 0.0], r"the action has \[0.0, 0.0\]; expected a dict"),
        ("dict", {"arm": [0.0, 0.0], "grip": 2}, r"the action\['grip'\] 2 is out of range"),
        ("tuple", ([0.0],), r"expected a tuple of 2 parts"),
        ("tuple", 0.0, r"the action is 0.0; expected a tuple of 2 parts"),
        ("tuple", ([0.0], [0, 2]), r"the action\[1\] \[0, 2\] is out of range"),
        ("nested", {"a": (0, [np.nan])}, r"the action\['a'\]\[1\] has the value nan at index \(0,\)"),
        ("box", [[0.0], [0.0, 1.0]], "is ragged"),
        ("box", None, r"has shape \(\); expected \(2,\)"),
    ],
)
def test_the_sentence_names_the_part(name, value, sentence):
    with pytest.raises(ActionError, match=sentence):
        Checked(ACTIONS[name], "action")(value)


@pytest.mark.parametrize("space", [spaces.Text(3), spaces.Dict({"a": spaces.Tuple((spaces.Text(3),))})])
def test_other_spaces_are_refused(space):
    with pytest.raises(ArgumentError, match=r"actions of Text.* cannot be checked and copied; actions are made of Box"):
        Checked(space, "action")
    with pytest.raises(ArgumentError, match=r"actions of Text.* cannot be chunked; actions are made of Box"):
        chunk_space(space, 3)


# ---------------------------------------------------------------- zeros and padding


@each_space
def test_zeros_are_a_member_or_none(space):
    zero = zeros(space)
    boxes = [leaf for leaf in leaves(space) if isinstance(leaf, spaces.Box)]
    has_zero = len(boxes) == len(leaves(space)) and all(((b.low <= 0) & (b.high >= 0)).all() for b in boxes)
    assert (zero is not None) == has_zero
    if has_zero:
        assert space.contains(zero)
        assert not any(array.any() for array in arrays(space, zero))


@each_space
def test_padding_is_the_member_nearest_to_zero(space):
    for each in (space, chunk_space(space, HORIZON)):
        filling = padding(each)
        assert each.contains(filling)
        for seed in range(20):
            for nearest, other in zip(arrays(each, filling), arrays(each, sample(each, seed)), strict=True):
                assert (abs(nearest) <= abs(other)).all()


@each_space
def test_padding_of_a_chunk_is_padding_in_every_row(space):
    rows = split(chunk_space(space, HORIZON), padding(chunk_space(space, HORIZON)))
    assert len(rows) == HORIZON
    for row in rows:
        for expected, got in zip(arrays(space, padding(space)), arrays(space, row), strict=True):
            assert (expected == got).all()


# ---------------------------------------------------------------- split and cut


@given(any_space, any_seed)
def test_the_rows_of_a_chunk_are_actions_that_make_the_chunk_again(space, seed):
    chunks = chunk_space(space, HORIZON)
    chunk = Checked(chunks, "chunk")(sample(chunks, seed))
    rows = split(chunks, chunk)
    assert all(space.contains(row) for row in rows)
    again = concatenate(space, rows, create_empty_array(space, HORIZON))
    for expected, got in zip(arrays(chunks, chunk), arrays(chunks, again), strict=True):
        assert (expected == got).all()


@given(any_space, any_seed, st.integers(0, HORIZON), st.integers(0, HORIZON))
def test_a_cut_has_the_rows_of_the_chunk(space, seed, start, stop):
    chunks = chunk_space(space, HORIZON)
    chunk = sample(chunks, seed)
    part = cut(chunks, chunk, slice(start, stop))
    for whole, some in zip(arrays(chunks, chunk), arrays(chunks, part), strict=True):
        assert not np.shares_memory(whole, some)
        assert_same(whole[start:stop], some)


@given(any_space, any_seed, st.integers(0, HORIZON))
def test_two_cuts_make_the_chunk_again(space, seed, place):
    chunks = chunk_space(space, HORIZON)
    chunk = sample(chunks, seed)
    first, second = (cut(chunks, chunk, rows) for rows in (slice(0, place), slice(place, HORIZON)))
    joined = map_parts(lambda leaf, a, b: np.concatenate([a, b]), chunks, first, second)
    assert_same(Checked(chunks, "chunk")(chunk), Checked(chunks, "chunk")(joined))
