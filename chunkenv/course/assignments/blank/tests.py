"""Tests of the assignment: `TESTS` is a tuple of tests, which have 100 points together."""

from __future__ import annotations

from chunkenv.clock import plan_cycle
from chunkenv.course.grading import Student, Test, expect_same


def late_by_hand(student: Student) -> None:
    """A case that students can work out on paper."""
    _expect_late(student, 2, 6, [0, 1])


def late_by_the_clock(student: Student) -> None:
    """Every small case, with the right answer from the package: nothing is written down twice."""
    for rows in (1, 4, 8):
        for delay in range(12):
            cycle = plan_cycle(rows, rows, True, range(0), delay)
            _expect_late(student, delay, rows, [row for row in range(rows) if row not in cycle.own])


def _expect_late(student: Student, delay: int, rows: int, right: list[int]) -> None:
    expect_same(f"late_rows({delay}, {rows})", student.call("late_rows", delay, rows), right)


TESTS = (
    Test("rows that are too late, by hand", "1.1", 40, "visible", late_by_hand),
    Test("rows that are too late, by the clock", "1.2", 60, "hidden", late_by_the_clock),
)
