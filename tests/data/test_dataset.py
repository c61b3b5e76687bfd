import json
import pickle

import numpy as np
import pytest

from chunkenv.data.check import check_dataset
from chunkenv.data.dataset import ShardSlice, load, write_dataset, write_episodes
from chunkenv.data.dataset_files import DataError
from chunkenv.data.summary import summarize_experts
from chunkenv.errors import ArgumentError
from tests.data.making import COLUMNS, episode, info, same, slices, small_dataset


def test_what_is_written_is_loaded(tmp_path):
    lengths = (3, 2, 5, 1)
    dataset = small_dataset(tmp_path, lengths)
    episodes = [episode(length, index, index % 3 > 0, index % 2) for index, length in enumerate(lengths)]
    assert np.array_equal(dataset.observations, np.concatenate([one.observations[:-1] for one in episodes]))
    assert np.array_equal(dataset.episodes.final_observation, np.stack([one.observations[-1] for one in episodes]))
    assert np.array_equal(dataset.actions, np.concatenate([one.actions for one in episodes]))
    assert np.array_equal(dataset.rewards, np.concatenate([one.rewards for one in episodes]))
    assert dataset.terminated.nonzero()[0].tolist() == [4, 9]
    assert dataset.truncated.nonzero()[0].tolist() == [2, 10]
    assert dataset.episode.tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3]
    assert dataset.episodes.start.tolist() == [0, 3, 5, 10]
    assert dataset.episodes.length.tolist() == list(lengths)
    assert dataset.episodes.success.tolist() == [False, True, True, False]
    assert dataset.episodes.expert.tolist() == [0, 1, 0, 1]
    assert len(dataset) == dataset.info["transitions"] == 11
    assert dataset.info["episodes"] == 4
    assert dataset.info["command"] == "made"


def test_types_are_those_of_the_page(tmp_path):
    dataset = small_dataset(tmp_path)
    types = {name: str(getattr(dataset, name).dtype) for name in COLUMNS}
    assert types == {
        "observations": "float32",
        "actions": "float32",
        "rewards": "float32",
        "terminated": "bool",
        "truncated": "bool",
        "episode": "int32",
    }
    assert [str(column.dtype) for column in dataset.episodes] == ["int64", "int32", "bool", "int32", "int64", "float32"]


def test_columns_stay_on_the_disk(tmp_path):
    dataset = small_dataset(tmp_path)
    assert isinstance(dataset.observations.base, np.memmap)
    assert not dataset.observations.flags.writeable


def test_slices_may_be_cut_short(tmp_path):
    (first, second) = slices([3, 2, 5, 1])
    cut = type(second)(second.read, 5, 1)
    assert same(write_dataset(tmp_path / "cut", [first, cut], info()), small_dataset(tmp_path / "whole", (3, 2, 5)))


def test_how_it_is_cut_into_slices_changes_nothing(tmp_path):
    one = write_dataset(tmp_path / "one", list(slices([3, 2, 5, 1], in_a_slice=4)), info())
    assert same(one, small_dataset(tmp_path / "two"))
    assert (tmp_path / "one" / "meta.json").read_bytes() == (tmp_path / "two" / "meta.json").read_bytes()


def test_what_is_no_dataset_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"none is no dataset: it is not there\."):
        load(tmp_path / "none")
    with pytest.raises(DataError, match=r"is no dataset: it is without meta\.json\."):
        load(tmp_path)
    (tmp_path / "parts").mkdir()
    with pytest.raises(DataError, match="unfinished collection; the command that began it goes on with it"):
        load(tmp_path)


def test_another_format_is_refused(tmp_path):
    small_dataset(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text())
    (tmp_path / "meta.json").write_text(json.dumps(meta | {"format": "chunkenv-data-9"}))
    with pytest.raises(DataError, match="'chunkenv-data-9', but this version reads 'chunkenv-data-1'"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["actions.npy", "episodes/start.npy"])
def test_a_damaged_column_is_named(tmp_path, name):
    small_dataset(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(DataError, match=f"{name} is missing or damaged"):
        load(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=f"{name} is missing or damaged"):
        load(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=f"{name} is missing or damaged"):
        load(tmp_path)
    with path.open("wb") as file:
        np.save(file, np.zeros(2))
    with pytest.raises(DataError, match=rf"{name} is damaged: .*'shape': \[2\].* but meta\.json says"):
        load(tmp_path)


def test_nobody_pickles_code_into_a_column(tmp_path):
    small_dataset(tmp_path)
    (tmp_path / "rewards.npy").write_bytes(pickle.dumps([1]))
    with pytest.raises(DataError, match="rewards"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("episodes", "sentence"),
    [
        ([episode(3), episode(2)._replace(observations=episode(3).observations[:2])], "Episode 1 has 2 observations"),
        ([episode(3, expert=2)], r"Experts 2 to 2 have played, but info\['experts'\] names 2"),
        ([episode(3, expert=-1)], r"Experts -1 to -1 have played"),
        ([], "There are no episodes"),
    ],
)
def test_nothing_is_written_of_episodes_that_make_no_dataset(tmp_path, episodes, sentence):
    with pytest.raises(DataError, match=sentence):
        write_episodes(tmp_path / "data", episodes, info())
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("actions", lambda column: column[:-1], "A part of the dataset has 5 rows of actions, not 6"),
        ("seed", lambda column: column[:-1], "A part of the dataset has 1 rows of seed, not 2"),
        ("rewards", lambda column: column.astype(np.float64), r"rows of float64\[\] after rows of float32\[\]"),
        ("observations", lambda column: column[:, 1:], r"rows of float32\[2\] after rows of float32\[3\]"),
    ],
)
def test_rows_of_a_slice_never_stand_for_those_of_the_next(tmp_path, name, change, sentence):
    first, second = slices([3, 2, 5, 1])
    short = ShardSlice(lambda column: change(second.read(column)) if column == name else second.read(column), 6, 2)
    with pytest.raises(DataError, match=sentence):
        write_dataset(tmp_path, [first, short], info())
    with pytest.raises(DataError, match="is no dataset"):
        load(tmp_path)


def test_a_dataset_is_not_written_over_another(tmp_path):
    whole = write_episodes(str(tmp_path / "data"), [episode(3)], info())
    assert whole.episodes.length.tolist() == [3]
    (tmp_path / "file").touch()
    for name in ("data", "file"):
        with pytest.raises(ArgumentError, match=f"{name} is not empty; choose another folder"):
            write_episodes(tmp_path / name, [episode(2)], info())
    assert load(tmp_path / "data").episodes.length.tolist() == [3]


def test_whoever_is_not_named_is_unknown(tmp_path):
    dataset = write_episodes(tmp_path, [episode(3)], {"level": None})
    assert [line.name for line in summarize_experts(dataset)] == ["unknown"]
    assert check_dataset(tmp_path) == []
