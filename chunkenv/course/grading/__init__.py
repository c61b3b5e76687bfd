"""The grader of the course: a student's code in a process of its own, all that counts in this one (extra `course`).

A test of an assignment is `Test(name, number, points, visibility, run)`. `run(student)` asks `student.call(function,
...)` or plays `student.policy(name)`, and raises `WrongAnswer`; environments, seeds, latency models and right answers
stay here. It stops accidents and casual cheating; with the same user id it is no boundary against an attacker.
"""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.course.grading.answers import (
        StudentFault,
        WrongAnswer,
        expect_array,
        expect_number,
        expect_same,
        read_array,
    )
    from chunkenv.course.grading.exercise import Test
    from chunkenv.course.grading.grader import Grader
    from chunkenv.course.grading.isolation import Isolation, find_isolation
    from chunkenv.course.grading.results_file import Judgement, Results
    from chunkenv.course.grading.student import Student, StudentPolicy

__all__ = [
    "Grader",
    "Isolation",
    "Judgement",
    "Results",
    "Student",
    "StudentFault",
    "StudentPolicy",
    "Test",
    "WrongAnswer",
    "expect_array",
    "expect_number",
    "expect_same",
    "find_isolation",
    "read_array",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "answers": "StudentFault WrongAnswer expect_array expect_number expect_same read_array",
        "exercise": "Test",
        "grader": "Grader",
        "isolation": "Isolation find_isolation",
        "results_file": "Judgement Results",
        "student": "Student StudentPolicy",
    },
    extra="course",
)
