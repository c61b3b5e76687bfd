"""Grades one submission: every test with a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chunkenv.course.grading.answers import StudentFault
from chunkenv.course.grading.child_process import ChildProcess
from chunkenv.course.grading.exercise import Test, read_share
from chunkenv.course.grading.isolation import Isolation
from chunkenv.course.grading.results_file import Judgement, Results
from chunkenv.course.grading.student import Student
from chunkenv.errors import ChunkenvError, MissingExtraError

SOLUTION = "solution.py"
LARGEST = 2**20
"""Bytes of a submitted file."""
SECONDS = 30.0
"""That a student's code may take in a test."""
SENTENCE = 2000
"""Characters of the sentence of a test that are shown."""


@dataclass(frozen=True)
class Grader:
    """Grades submissions.

    Args:
        tests: of the assignment.
        isolation: as whom students' code runs.
        seconds: that a student's code may take in each test, importing it included.
    """

    tests: Sequence[Test]
    isolation: Isolation
    seconds: float = SECONDS

    def grade(self, folder: Path, report: Callable[[Results], None] = lambda results: None) -> Results:
        """Grade the solution in a folder.

        Args:
            folder: with `solution.py`, or with one Python file of another name.
            report: is given the results so far: before the first test, and after each.

        Raises:
            ArgumentError: a test is wrong; never for what is submitted.
            MissingExtraError: a test needs what is not installed here.
        """
        results, began = Results.before(self.tests, self.isolation.name), time.monotonic()
        report(results)
        try:
            source = read_source(folder)
            with ChildProcess(self.isolation) as child:
                self._student(child).load(source)
        except StudentFault as fault:
            results.refuse(str(fault)[:SENTENCE])
        else:
            for place, test in enumerate(self.tests):
                results.judgements[place] = self.run_test(test, source)
                report(results)
        results.seconds = time.monotonic() - began
        report(results)
        return results

    def run_test(self, test: Test, source: str) -> Judgement:
        """What becomes of one test of a submission.

        Raises:
            ArgumentError: the test returned no share.
            MissingExtraError: the test needs what is not installed here.
        """
        with ChildProcess(self.isolation) as child:
            student = self._student(child)
            share, sentence = self._judge(test, student, source)
        output = "\n".join(filter(None, (sentence[:SENTENCE], child.printed())))
        return Judgement(test, share * test.points, output, student.board, student.delays)

    def _judge(self, test: Test, student: Student, source: str) -> tuple[float, str]:
        """The share of the points, and why."""
        try:
            student.load(source)
            returned = test.run(student)
        except MissingExtraError:  # here, not in the student's process
            raise
        except ChunkenvError as error:
            return 0.0, str(error)
        except Exception as error:  # of the test, by an answer that nobody thought of: it is no right one
            return 0.0, f"your answer cannot be judged, {type(error).__name__}: {error}."
        share = read_share(test, returned)
        return share, "Right." if share == 1 else f"{share:.0%} of the points."

    def _student(self, child: ChildProcess) -> Student:
        return Student(child, self.seconds)


def read_source(folder: Path) -> str:
    """The code of the solution in a folder.

    Raises:
        StudentFault: there is none, or it is no text.
    """
    file = _find(folder)
    if file.stat().st_size > LARGEST:
        raise StudentFault(f"{file.name} has {file.stat().st_size:,} bytes; hand in at most {LARGEST:,}.")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudentFault(f"{file.name} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error


def _find(folder: Path) -> Path:
    files = sorted(path for path in folder.glob("*.py") if path.is_file())
    named = [path for path in files if path.name == SOLUTION]
    if len(named or files) == 1:
        return (named or files)[0]
    there = ", ".join(path.name for path in files) or "no Python file"
    raise StudentFault(f"{SOLUTION} was not handed in ({there}); hand in one file of that name.")
