"""Assignments as they are graded: every test with a process of its own, and the same bytes each time."""

import json

import pytest

from chunkenv.course.assignment import BLANK, Assignment
from chunkenv.course.grading import Grader, Isolation, find_isolation
from tests.course.in_process import judges_of, reference, template


@pytest.mark.slow
@pytest.mark.parametrize("number", ["2", "3", "4", "5"])
def test_references_have_100_and_templates_0(number, tmp_path):
    grader = Grader(judges_of(number), find_isolation(), seconds=200)  # other tests may use the processors, too
    for source, score in ((reference(number), 100.0), (template(number), 0.0)):
        (tmp_path / "solution.py").write_text(source, encoding="utf-8")
        first, second = (grader.grade(tmp_path).judgements for _ in range(2))
        assert sum(each.score for each in first) == score
        assert [each.as_json() for each in first] == [each.as_json() for each in second]


NOISE = "import random, numpy\nprint(random.random(), numpy.random.rand(), list({'a', 'b', 'c'}), hash('text'))\n"
"""What differs from run to run in Python, as a student prints it."""


def write_graded(grader, folder):
    """The bytes of results.json, but for `execution_time`."""
    grader.grade(folder).write(folder / "results.json")
    text = (folder / "results.json").read_text(encoding="utf-8")
    time = json.loads(text)["execution_time"]
    assert text.count(f'"execution_time": {time}') == 1
    return text.replace(f'"execution_time": {time}', "")


def test_the_same_submission_gets_the_same_bytes_again(tmp_path):
    written = (BLANK / "reference" / "solution.py").read_text(encoding="utf-8")
    source = NOISE + written.replace("from __future__ import annotations", "")
    (tmp_path / "solution.py").write_text(source, encoding="utf-8")
    grader = Grader(Assignment("blank", BLANK).load_tests(), Isolation(), seconds=200)
    first = write_graded(grader, tmp_path)
    assert '"score": 100.0' in first
    assert write_graded(grader, tmp_path) == first


@pytest.mark.slow
def test_20_gradings_give_the_same_bytes(tmp_path):
    source = NOISE + reference("1").replace("from __future__ import annotations", "")
    (tmp_path / "solution.py").write_text(source, encoding="utf-8")
    grader = Grader(judges_of("1"), find_isolation(), seconds=200)
    assert len({write_graded(grader, tmp_path) for _ in range(20)}) == 1
