"""Infos with masks, and values out of and into batches."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from chunkenv.errors import ActionError
from chunkenv.utils.batching import (
    BatchReader,
    copy_member,
    copy_members,
    merge_infos,
    object_array,
    replace_members,
    select_infos,
)

INFOS = [{"a": 1, "n": {"x": 2.0}}, {"b": np.array([1, 2])}, {"a": 3, "name": "last", "n": {"y": True}}]


def gathered(infos):
    """As gymnasium gathers the infos of three environments; None where one has none."""
    vector = VectorEnv()
    vector.num_envs = 3
    result = {}
    for index, info in enumerate(infos):
        if info is not None:
            result = vector._add_info(result, info, index)
    return result


def held(infos):
    return {
        key: held(v) if isinstance(v, dict) else v.tolist() for key, v in infos.items() if np.any(_mask(infos, key))
    }


def _mask(infos, key):
    return infos[f"_{key}"] if f"_{key}" in infos else infos[key]


@pytest.mark.parametrize("members", [[True, False, True], [False, True, False], [False] * 3, [True] * 3])
def test_the_infos_of_some(members):
    mask = np.array(members)
    some = gathered([info if taken else None for info, taken in zip(INFOS, members, strict=True)])
    assert held(select_infos(gathered(INFOS), mask)) == held(some)


def test_infos_of_both():
    rest = gathered([None, INFOS[1], INFOS[2]])
    assert held(merge_infos(gathered([INFOS[0], None, None]), rest)) == held(gathered(INFOS))


def test_the_others_win():
    both = merge_infos(gathered([{"a": 1}, {"a": 2}, None]), gathered([None, {"a": 7}, {"a": 8}]))
    assert both["a"].tolist() == [1, 7, 8]
    assert both["_a"].all()


def test_a_wider_type_is_kept():
    both = merge_infos(gathered([{"a": 1}, None, None]), gathered([None, {"a": 0.5}, None]))
    assert both["a"].tolist() == [1.0, 0.5, 0.0]


def test_replaced_members_are_written_into_the_batch():
    space = spaces.Dict({"x": spaces.Box(0.0, 9.0, (1,)), "who": spaces.Text(5)})
    batch = {"x": np.array([[1.0], [2.0]]), "who": ("a", "b")}
    others = {"x": np.array([[8.0], [9.0]]), "who": ("y", "z")}
    mixed = replace_members(space, batch, others, np.array([False, True]))
    assert (mixed["x"].tolist(), mixed["who"]) == ([[1.0], [9.0]], ("a", "z"))
    assert mixed["x"] is batch["x"]
    mixed["x"][:] = 0
    assert others["x"].tolist() == [[8.0], [9.0]]


def test_a_member_is_a_copy():
    batch = {"x": np.array([[1.0], [2.0]]), "n": np.array([3, 4])}
    one = copy_member(spaces.Dict({"x": spaces.Box(0.0, 9.0, (1,)), "n": spaces.Discrete(9)}), batch, 1)
    assert (one["x"].tolist(), one["n"]) == ([2.0], 4)
    one["x"][:] = 0
    assert batch["x"].tolist() == [[1.0], [2.0]]


def test_members_are_copies_each_of_its_own():
    space = spaces.Dict({"x": spaces.Box(0.0, 9.0, (1,)), "pair": spaces.Tuple((spaces.Discrete(9), spaces.Text(5)))})
    batch = {"x": np.array([[1.0], [2.0], [3.0]]), "pair": (np.array([4, 5, 6]), ("a", "b", "c"))}
    first, last = copy_members(space, batch, np.array([0, 2]))
    assert (first["x"].tolist(), first["pair"], last["x"].tolist(), last["pair"]) == ([1], (4, "a"), [3], (6, "c"))
    first["x"][:] = 0
    assert (last["x"].tolist(), batch["x"].tolist()) == ([3], [[1], [2], [3]])


def test_members_that_hold_objects_are_copies():
    batch = np.array([None, None], object)
    batch[:] = [[1], [2]]
    (one,) = copy_members(spaces.Space(), batch, np.array([1]))
    one.append(3)
    assert batch[1] == [2]


def test_objects_of_equal_shapes_stay_apart():
    array = object_array({0: np.zeros(2), 2: np.zeros(2)}, 3)
    assert (array.shape, array.dtype, array[1]) == ((3,), object, None)


NOBODY = np.zeros(2, bool)


def test_a_reader_copies():
    values = np.zeros((2, 3), np.float32)
    read = BatchReader(spaces.Box(-1.0, 1.0, (3,)), 2, "action")(values, NOBODY)
    values[:] = 1
    assert not read.any()


def test_a_reader_names_the_culprit():
    read = BatchReader(spaces.MultiDiscrete([2, 2]), 2, "action")
    with pytest.raises(ActionError, match=r"the action of environment 1 \[0, 2\] is out of range"):
        read(np.array([[0, 0], [0, 2]]), NOBODY)


def test_a_reader_ignores_whom_it_should():
    read = BatchReader(spaces.Box(-1.0, 1.0, (1,)), 2, "action")
    ignored = np.array([False, True])
    assert read(np.array([[0.5], [np.nan]], np.float32), ignored).tolist() == [[0.5], [0.0]]
    with pytest.raises(ActionError, match="environment 0"):
        read(np.array([[np.nan], [np.nan]], np.float32), ignored)
    with pytest.raises(ActionError, match="shape"):
        read(np.zeros((3, 1), np.float32), ignored)
