import csv

import pyarrow.parquet
import pytest
from fake_study import fake_study, keep

from chunkenv.bench.store.exporting import export
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "episodes.sqlite") as store:
        for number, unit in enumerate(fake_study().units):
            row = {"seed": number, "ticks": 30, "return": 0.1 + number, "underruns": 0, "decisions": 15}
            keep(store, unit, row | {"success": (True, False, None)[number % 3]})
        yield store


def test_parquet_holds_the_rows(store, tmp_path):
    _, parquet = export(store, tmp_path)
    assert pyarrow.parquet.read_table(parquet).to_pylist() == store.rows()


def test_csv_holds_the_rows(store, tmp_path):
    path, _ = export(store, tmp_path)
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == list(store.rows()[0])
    words = {True: "true", False: "false", None: ""}
    for text, row in zip(found, store.rows(), strict=True):
        expected = {key: "" if value is None else str(value) for key, value in row.items()}
        assert text == expected | {"success": words[row["success"]]}
        assert float(text["return"]) == row["return"]


def test_success_may_be_unknown_in_all_rows(tmp_path):
    with Store(tmp_path / "episodes.sqlite") as store:
        row = {"seed": 0, "ticks": 30, "return": 0.0, "success": None, "underruns": 0, "decisions": 15}
        keep(store, fake_study().units[0], row)
        _, parquet = export(store, tmp_path)
        assert pyarrow.parquet.read_schema(parquet).field("success").type == pyarrow.bool_()


def test_files_appear_whole_and_alone(store, tmp_path):
    export(store, tmp_path)
    export(store, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"episodes.sqlite", "episodes.csv", "episodes.parquet"}


def test_nothing_to_export(tmp_path):
    with Store(tmp_path / "episodes.sqlite") as store, pytest.raises(ArgumentError, match="holds no episodes yet"):
        export(store, tmp_path)


def test_a_folder_is_made(store, tmp_path):
    assert all(path.is_file() for path in export(store, tmp_path / "some" / "where"))


def test_a_folder_that_cannot_be(store, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="file cannot be a folder for results"):
        export(store, tmp_path / "file")


def test_a_file_that_cannot_be_replaced(store, tmp_path):
    (tmp_path / "episodes.csv").mkdir()
    with pytest.raises(ArgumentError, match=r"episodes.csv cannot be written \(.*\); make room, or choose another"):
        export(store, tmp_path)
