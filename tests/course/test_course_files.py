"""What students begin with, what Gradescope gets, and folders of submissions."""

import io
import json
import stat
import subprocess
import zipfile

import jupytext
import pytest

from chunkenv.course import (
    Assignment,
    begin_assignment,
    begin_blank,
    find_assignment,
    grade_all,
    make_notebook,
    pack_assignment,
)
from chunkenv.course.grading import Grader, Isolation, Test
from chunkenv.errors import ArgumentError


def test_an_unknown_assignment_is_named():
    with pytest.raises(ArgumentError, match="assignment '99' is unknown"):
        find_assignment("99")


TEST = "Test('t', {number!r}, {points}, 'visible', print)"
ONE, HALF, OTHER = (TEST.format(number=n, points=p) for n, p in (("1", 100), ("1", 50), ("2", 60)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no TESTS"),
        (f"TESTS = [{ONE}]", "has no TESTS"),
        (f"TESTS = ({HALF}, {HALF})", "the same number"),
        (f"TESTS = ({HALF}, {OTHER})", "have 110 points"),
    ],
)
def test_wrong_tests_are_the_instructors_mistake(tmp_path, text, sentence):
    (tmp_path / "tests.py").write_text(f"from chunkenv.course.grading import Test\n{text}\n")
    with pytest.raises(ArgumentError, match=sentence):
        Assignment("7", tmp_path).load_tests()


def test_tests_that_are_missing_are_the_instructors_mistake(tmp_path):
    with pytest.raises(ArgumentError, match="is not there"):
        Assignment("7", tmp_path).load_tests()


def test_a_student_begins_with_text_template_and_notebook(tmp_path):
    assignment = find_assignment("1")
    begin_assignment(assignment, tmp_path / "mine")
    assert (tmp_path / "mine" / "solution.py").read_bytes() == assignment.template.read_bytes()
    assert (tmp_path / "mine" / "text.md").read_text().startswith(f"# {assignment.title}\n")
    with pytest.raises(ArgumentError, match="not empty"):
        begin_assignment(assignment, tmp_path / "mine")


def test_the_notebook_is_the_template_and_always_the_same():
    assignment = find_assignment("1")
    assert make_notebook(assignment) == make_notebook(assignment)
    notebook = jupytext.reads(make_notebook(assignment), fmt="ipynb")
    code = "\n\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert compile(code, "notebook", "exec")
    assert code.count("raise NotImplementedError") == 7
    assert {cell.cell_type for cell in notebook.cells} == {"code", "markdown"}


def test_the_zip_has_what_gradescope_runs(tmp_path):
    wheel = tmp_path / "chunkenv-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    for name in ("one.zip", "two.zip"):
        pack_assignment(find_assignment("1"), tmp_path / name, wheel)
    content = (tmp_path / "one.zip").read_bytes()
    assert content == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["setup.sh", "run_autograder", wheel.name]
        assert archive.getinfo("run_autograder").external_attr >> 16 & stat.S_IXUSR
        for script in ("setup.sh", "run_autograder"):
            subprocess.run(["bash", "-n"], input=archive.read(script), check=True)
        assert b"course grade 1 /autograder/submission" in archive.read("run_autograder")


def test_a_blank_assignment_is_whole(tmp_path):
    begin_blank(tmp_path / "own")
    assignment = find_assignment(str(tmp_path / "own"))
    grader = Grader(assignment.load_tests(), Isolation())
    assert grader.grade(tmp_path / "own" / "reference").score == 100
    begin_assignment(assignment, tmp_path / "mine")
    assert grader.grade(tmp_path / "mine").score == 0
    with pytest.raises(ArgumentError, match="not empty"):
        begin_blank(tmp_path / "own")


def test_an_assignment_of_ones_own_is_packed_without_its_reference(tmp_path):
    begin_blank(tmp_path / "own")
    pack_assignment(find_assignment(str(tmp_path / "own")), tmp_path / "own.zip")
    with zipfile.ZipFile(tmp_path / "own.zip") as archive:
        assert [name for name in archive.namelist() if "/" in name] == [
            "assignment/template.py",
            "assignment/tests.py",
            "assignment/text.md",
        ]
        assert b"course grade /autograder/source/assignment /autograder/submission" in archive.read("run_autograder")


def test_a_folder_without_tests_is_no_assignment(tmp_path):
    with pytest.raises(ArgumentError, match="has no template"):
        find_assignment(str(tmp_path))


def test_a_folder_of_submissions_gets_a_table(tmp_path):
    for name, answer in (("ada", 1), ("bob", 2)):
        (tmp_path / "all" / name).mkdir(parents=True)
        (tmp_path / "all" / name / "solution.py").write_text(f"def f():\n    return {answer}\n")
    tests = (Test("one", "1", 100, "visible", lambda student: float(student.call("f") == 1)),)
    assert grade_all(Grader(tests, Isolation()), tmp_path / "all", tmp_path / "out") == {"ada": 100, "bob": 0}
    assert (tmp_path / "out" / "scores.csv").read_text() == "name,score\nada,100.0\nbob,0.0\n"
    assert json.loads((tmp_path / "out" / "bob.json").read_text())["score"] == 0
    with pytest.raises(ArgumentError, match="no folders"):
        grade_all(Grader(tests, Isolation()), tmp_path / "out", tmp_path)
