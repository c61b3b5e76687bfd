import json

import numpy as np
import pytest

from chunkenv.data.check import check_dataset
from chunkenv.data.dataset_files import DataError, sha256_of
from tests.data.making import small_dataset


@pytest.fixture
def folder(tmp_path):
    small_dataset(tmp_path)
    return tmp_path


def change(folder, name, alter, signed=True):
    """Alter a column in its file; signed, meta.json goes along with it."""
    path = folder / f"{name}.npy"
    column = np.load(path)
    alter(column)
    np.save(path, column)
    if signed:
        meta = json.loads((folder / "meta.json").read_text())
        meta["columns"][name]["sha256"] = sha256_of(path)
        (folder / "meta.json").write_text(json.dumps(meta))


def put(index, value):
    def alter(column):
        column[index] = value

    return alter


def test_a_sound_dataset_has_no_problems(folder):
    assert check_dataset(folder) == []


@pytest.mark.parametrize("name", ["observations", "actions", "episodes/seed"])
def test_a_changed_number_is_noticed(folder, name):
    change(folder, name, put(1, 77), signed=False)
    assert check_dataset(folder) == [f"{folder / name}.npy is damaged: its SHA-256 is not that of meta.json."]


@pytest.mark.parametrize(
    ("name", "alter", "sentence"),
    [
        ("observations", put((4, 1), np.nan), "observations has NaN or infinity in 1 rows, first in row 4."),
        ("actions", put(slice(2, 5), np.inf), "actions has NaN or infinity in 3 rows, first in row 2."),
        ("rewards", put(10, np.nan), "rewards has NaN or infinity in 1 rows, first in row 10."),
        (
            "episodes/final_observation",
            put(3, -np.inf),
            "final_observation has NaN or infinity in 1 rows, first in row 3.",
        ),
        ("episode", put(3, 0), "The column episode does not fit the table of episodes."),
        ("episodes/start", put(1, 4), "The episodes do not lie one behind the other: start and length do not fit."),
        ("episodes/length", put(3, 2), "The episodes do not lie one behind the other: start and length do not fit."),
        ("episodes/expert", put(0, 2), "Experts 0 to 2 have played, but meta.json names 2."),
        ("episodes/expert", put(0, -1), "Experts -1 to 1 have played, but meta.json names 2."),
    ],
)
def test_what_makes_no_sense_is_one_sentence(folder, name, alter, sentence):
    change(folder, name, alter)
    assert check_dataset(folder) == [sentence]


@pytest.mark.parametrize(("name", "row", "value"), [("terminated", 0, True), ("truncated", 2, False)])
def test_ends_must_match(folder, name, row, value):
    change(folder, name, put(row, value))
    (problem,) = check_dataset(folder)
    assert problem.startswith("Episodes do not end where they should")


def test_counts_must_match(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"transitions": 12}))
    assert check_dataset(folder) == ["There are 11 transitions, but meta.json says 12."]


def test_columns_must_be_of_one_length(folder):
    path = folder / "rewards.npy"
    np.save(path, np.zeros(10, np.float32))
    meta = json.loads((folder / "meta.json").read_text())
    meta["columns"]["rewards"] = {"shape": [10], "dtype": "float32", "sha256": sha256_of(path)}
    (folder / "meta.json").write_text(json.dumps(meta))
    assert any(problem.startswith("The columns have different lengths") for problem in check_dataset(folder))


def test_what_is_no_dataset_is_not_checked(tmp_path):
    with pytest.raises(DataError, match="is no dataset"):
        check_dataset(tmp_path)
