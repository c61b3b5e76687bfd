import hashlib

import numpy as np
import pytest

from chunkenv.data.dataset_files import DataError, read_json, sha256_of, write_column, write_json


def test_a_column_is_what_numpy_reads(tmp_path):
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((4, 3), np.float32)[:, ::-1]]
    digest = write_column(tmp_path / "column.npy", (6, 3), np.dtype(np.float32), iter(arrays))
    read = np.load(tmp_path / "column.npy", mmap_mode="r")
    assert read.dtype == np.float32
    assert np.array_equal(read, np.concatenate(arrays))
    assert (
        digest
        == sha256_of(tmp_path / "column.npy")
        == hashlib.sha256((tmp_path / "column.npy").read_bytes()).hexdigest()
    )


def test_json_goes_there_and_back(tmp_path):
    write_json(tmp_path / "a.json", {"a": [1, None, 0.1]})
    assert read_json(tmp_path / "a.json") == {"a": [1, None, 0.1]}


@pytest.mark.parametrize("text", ["", "{", "[1]", "\udcff"])
def test_damaged_json_is_one_sentence(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_a_file_that_is_not_there_has_no_digest(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        sha256_of(tmp_path / "none")
