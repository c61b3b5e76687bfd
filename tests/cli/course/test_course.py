"""`chunkenv course`: new, check, grade, pack."""

import json
import zipfile

import pytest

from tests.cli.calling import invoke
from tests.course.in_process import reference


def test_new_says_what_is_next(tmp_path):
    result = invoke("course", "new", 1, tmp_path / "one")
    assert result.exit_code == 0
    assert f"chunkenv course check 1 {tmp_path / 'one'}" in result.output
    assert (tmp_path / "one" / "notebook.ipynb").exists()


def test_an_assignment_of_ones_own_is_made_checked_and_packed_from_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("course", "new", "--blank", "late")
    assert "chunkenv course grade late late/reference" in result.output
    assert "An assignment of one's own: read" in invoke("course", "new", "late", "mine").output
    assert "40 of 40 public points" in invoke("course", "check", "late", "late/reference").output
    assert "assignment-late.zip" in invoke("course", "pack", "late").output
    assert zipfile.is_zipfile("assignment-late.zip")


@pytest.mark.parametrize(
    "words",
    [
        ("new", "99", "folder"),
        ("new", "1"),
        ("new", "1", "--blank", "folder"),
        ("check", "1", "nowhere"),
        ("grade", "1", "nowhere"),
        ("grade", "99", "."),
        ("pack", "99"),
        ("pack", "1", "--wheel", "nothing.whl"),
    ],
)
def test_an_instructors_mistake_is_a_sentence_and_exit_code_2(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("course", *words)
    assert result.exit_code == 2
    assert "error:" in result.output


def test_what_cannot_be_imported_is_a_score_and_exit_code_0(tmp_path):
    (tmp_path / "solution.py").write_text("def f(:")
    result = invoke("course", "grade", 1, tmp_path, "--results", tmp_path / "results.json")
    assert (result.exit_code, "0 of 100" in result.output) == (0, True)
    assert json.loads((tmp_path / "results.json").read_text())["score"] == 0
    result = invoke("course", "check", 1, tmp_path)
    assert result.exit_code == 0
    assert "0 of 40 public points; hidden tests decide 60 more." in result.output


def test_each_grades_a_folder_of_folders(tmp_path):
    (tmp_path / "all" / "ada").mkdir(parents=True)
    result = invoke("course", "grade", 1, tmp_path / "all", "--each", "--results", tmp_path / "out")
    assert "1 submission" in result.output
    assert (tmp_path / "out" / "scores.csv").read_text() == "name,score\nada,0.0\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", ["1"])
def test_the_reference_has_100_points_in_processes_and_the_same_bytes_again(tmp_path, number):
    (tmp_path / "solution.py").write_text(reference(number))
    written = []
    for _ in range(2):
        invoke("course", "grade", number, tmp_path, "--results", tmp_path / "results.json")
        written.append(json.loads((tmp_path / "results.json").read_text()) | {"execution_time": 0})
    assert written[0]["score"] == 100
    assert written[0] == written[1]


def test_pack_writes_a_zip(tmp_path):
    assert invoke("course", "pack", 1, "--out", tmp_path / "one.zip").exit_code == 0
    assert zipfile.is_zipfile(tmp_path / "one.zip")
