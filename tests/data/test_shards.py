import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.data.dataset_files import DataError
from chunkenv.data.episodes import as_block
from chunkenv.data.shards import CollectionSize, ShardStore
from chunkenv.errors import ArgumentError
from tests.data.making import episode, info, same, small_dataset

RECIPE = {"seed": 0, "noise": 0.1}
LENGTHS = (3, 2, 5, 1)


def block(*numbers):
    return as_block([episode(LENGTHS[i], i, i % 3 > 0, i % 2) for i in numbers])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def parts(folder, recipe=RECIPE):
    return ShardStore(folder, 2, recipe)


@given(st.lists(st.integers(1, 9), min_size=1), st.integers(1, 60))
def test_a_size_in_ticks_needs_the_first_episodes_that_have_them(lengths, ticks):
    found = CollectionSize(None, ticks).episodes_needed(np.array(lengths))
    expected = next((n for n in range(1, len(lengths) + 1) if sum(lengths[:n]) >= ticks), None)
    assert found == expected


def test_a_size_in_episodes_needs_as_many():
    assert CollectionSize(3, None).episodes_needed(np.array([1, 1])) is None
    assert CollectionSize(3, None).episodes_needed(np.array([1, 1, 1, 1])) == 3
    assert [CollectionSize(3, None).numbers(i, 2) for i in range(3)] == [range(2), range(2, 3), range(4, 3)]
    assert CollectionSize(None, 3).numbers(1, 2) == range(2, 4)


def test_blocks_become_a_dataset_and_go(tmp_path):
    some = parts(tmp_path / "a")
    some.keep(1, block(2, 3))
    assert some.episodes_needed(CollectionSize(4, None)) is None
    some.keep(0, block(0, 1))
    assert some.counts == (4, 11)
    assert some.episodes_needed(CollectionSize(4, None)) == 4
    dataset = some.write(4, info())
    assert same(dataset, small_dataset(tmp_path / "b"))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        p.name for p in (tmp_path / "b").iterdir()
    )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_dataset_may_end_within_a_block(tmp_path, count):
    some = parts(tmp_path / "a")
    some.keep(0, block(0, 1))
    some.keep(1, block(2, 3))
    assert same(some.write(count, info()), small_dataset(tmp_path / "b", LENGTHS[:count]))


def test_what_was_kept_is_found_again(tmp_path):
    parts(tmp_path).keep(0, block(0, 1))
    some = parts(tmp_path)
    assert some.counts == (2, 5)
    assert list(some.missing_blocks(CollectionSize(5, None))) == [1, 2]
    endless = some.missing_blocks(CollectionSize(None, 10**6))
    assert [next(endless) for _ in range(3)] == [1, 2, 3]


def test_a_block_that_was_cut_short_is_played_again_where_more_is_wanted(tmp_path):
    some = parts(tmp_path)
    some.keep(0, block(0))
    some.keep(1, block(2, 3))
    assert list(some.missing_blocks(CollectionSize(1, None))) == []
    assert list(some.missing_blocks(CollectionSize(4, None))) == [0]
    assert some.episodes_needed(CollectionSize(1, None)) == 1
    assert some.episodes_needed(CollectionSize(2, None)) is None


def test_a_damaged_block_is_played_again(tmp_path):
    some = parts(tmp_path)
    some.keep(0, block(0, 1))
    some.keep(1, block(2, 3))
    for number, damage in ((0, lambda content: content[: len(content) // 2]), (1, lambda content: flipped(content))):
        path = tmp_path / "parts" / f"{number:06d}.npz"
        path.write_bytes(damage(path.read_bytes()))
    assert list(parts(tmp_path).missing_blocks(CollectionSize(4, None))) == [0, 1]
    with pytest.raises(DataError, match=r"000000\.npz is damaged"):
        some.write(4, info())


def flipped(content):
    """One bit in the middle of the observations is another."""
    place = content.index(b"observations") + 200
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_blocks_of_other_settings_are_not_mixed(tmp_path):
    parts(tmp_path)
    with pytest.raises(ArgumentError, match=r"unfinished collection with other settings \(noise\); give the same"):
        parts(tmp_path, RECIPE | {"noise": 0.2})


def test_half_a_file_is_left_alone(tmp_path):
    some = parts(tmp_path)
    (tmp_path / "parts" / "000000.npz.77.partial").write_bytes(b"half")
    (tmp_path / "actions.npy.77.partial").write_bytes(b"half")
    some.keep(0, block(0, 1))
    parts(tmp_path).write(2, info())
    assert not list(tmp_path.rglob("*.partial"))
