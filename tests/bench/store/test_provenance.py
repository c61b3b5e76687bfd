import functools

import pytest
from fake_study import block_study, fake_study

from chunkenv.bench.store import provenance
from chunkenv.bench.studies.delay_study import delay_study


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with code, levels, weights, and what shows rows only."""
    for name in ("clock.py", "levels/a.toml", "agents/weights/a.safetensors", "agents/weights/manifest.json",
                 "bench/studies/delay_study.py", "bench/store.py", "cli/app.py", "notes.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"one\n")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    return tmp_path


def code():
    return provenance.code.__wrapped__()


DECIDES = [
    "clock.py",
    "levels/a.toml",
    "agents/weights/a.safetensors",
    "agents/weights/manifest.json",
    "bench/studies/delay_study.py",
]


@pytest.mark.parametrize("name", DECIDES)
def test_what_decides_rows_changes_the_fingerprint(package, name):
    before = code()
    (package / name).write_bytes(b"two\n")
    assert code() != before
    (package / name).unlink()
    assert code() != before


@pytest.mark.parametrize("name", ["bench/store.py", "cli/app.py", "notes.txt"])
def test_what_shows_rows_does_not(package, name):
    before = code()
    (package / name).write_bytes(b"two\n")
    assert code() == before


def test_line_endings_count_in_weights_only(package):
    before = code()
    (package / "clock.py").write_bytes(b"one\r\n")
    assert code() == before
    (package / "agents/weights/a.safetensors").write_bytes(b"one\r\n")
    assert code() != before


def test_studies_of_the_package_have_no_file_of_their_own():
    assert provenance.study_code(delay_study(tasks=["catapult"])) == {}


def test_studies_elsewhere_have_the_files_of_their_functions():
    assert provenance.study_code(fake_study()) == provenance.study_code(block_study())
    assert provenance.study_code(block_study(play=functools.partial(block_study().play)))["study"]
    other = provenance.study_code(fake_study(make_policy=code))
    assert other.keys() == {"study"}
    assert other != provenance.study_code(fake_study())


def test_functions_that_were_typed_in_have_no_file():
    scope = {}
    exec("def play(cell, episodes, seed): return []", scope)
    assert provenance.study_code(block_study(play=scope["play"])) == {}
