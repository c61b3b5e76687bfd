import numpy as np
from gymnasium.vector import SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.utils.infos import split_infos
from tests.sb3.worlds import Line

infos = st.lists(st.dictionaries(st.sampled_from(["a", "_b", "c"]), st.integers(-9, 9)), min_size=1, max_size=4)


@settings(deadline=None)
@given(infos)
def test_splitting_undoes_what_gymnasium_joins(rows):
    vector_env = SyncVectorEnv([Line] * len(rows))
    joined = {}
    for index, row in enumerate(rows):
        joined = vector_env._add_info(joined, row, index)
    assert split_infos(joined, len(rows)) == rows


def test_nested_infos_and_arrays():
    joined = {
        "episode": {"r": np.array([1.5, 0.0]), "_r": np.array([True, False])},
        "_episode": np.array([True, False]),
        "place": np.arange(4.0).reshape(2, 2),
        "_place": np.array([True, True]),
        "name": np.array(["left", None], object),
        "_name": np.array([True, False]),
    }
    first, second = split_infos(joined, 2)
    assert first["episode"] == {"r": 1.5}
    assert first["name"] == "left"
    assert second.keys() == {"place"}
    np.testing.assert_array_equal(second["place"], [2.0, 3.0])


def test_numbers_are_those_of_python():
    (row,) = split_infos({"ticks": np.array([4]), "discount": np.array([0.5], np.float32)}, 1)
    assert [type(value) for value in row.values()] == [int, float]


def test_no_infos_at_all():
    first, second = split_infos({}, 2)
    assert first == second == {}
    assert first is not second
