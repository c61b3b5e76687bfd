import errno
import os

import pytest

from chunkenv.errors import UnwritableError
from chunkenv.utils.files import atomic_file, atomic_path, explain_write_errors


def test_a_file_appears_when_its_block_has_ended(tmp_path):
    path = tmp_path / "new" / "file"
    with atomic_file(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def write_and_fail(path):
    with atomic_file(path) as file:
        file.write(b"new")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(UnwritableError, match=r"file cannot be written \(No space left on device\); make room"):
        write_and_fail(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_a_path_is_written_by_name_and_appears_when_its_block_has_ended(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_path(path) as partial:
        partial.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"new"


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, steps = tmp_path / "file", []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (steps.append(os.fstat(file).st_size), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (steps.append("named"), replace(*paths)))
    with atomic_file(path) as file:
        file.write(b"all of it")
    assert steps == [9, "named"]


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="cannot be written"), atomic_file(tmp_path / "file" / "inner"):
        pass


def test_what_is_said_without_a_reason_of_the_system_is_quoted(tmp_path):
    with pytest.raises(OSError, match=r"cannot be written \(too late\)"), explain_write_errors(tmp_path / "file"):
        raise OSError("too late")
