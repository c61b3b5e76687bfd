"""Assignments 2, 3 and 4 as they are graded: every test with a process of its own, and the same bytes each time."""

import pytest

from chunkenv.course.grading import Grader, find_isolation
from tests.course.in_process import judges_of, reference, template


@pytest.mark.slow
@pytest.mark.parametrize("number", ["2", "3", "4"])
def test_references_have_100_and_templates_0(number, tmp_path):
    grader = Grader(judges_of(number), find_isolation(), seconds=200)  # other tests may use the processors, too
    for source, score in ((reference(number), 100.0), (template(number), 0.0)):
        (tmp_path / "solution.py").write_text(source, encoding="utf-8")
        first, second = (grader.grade(tmp_path).judgements for _ in range(2))
        assert sum(each.score for each in first) == score
        assert [each.as_json() for each in first] == [each.as_json() for each in second]
