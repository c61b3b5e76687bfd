"""Grading without processes: what the tests of an assignment make of some code, fast enough for many wrong answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

from chunkenv.course import find_assignment
from chunkenv.course.grading import Test
from chunkenv.course.grading.framing import LENGTH, read_frame, write_frame
from chunkenv.errors import ChunkenvError

SOLUTIONS = Path(__file__).parents[2] / "course_solutions"


class Answerer:
    """The functions of some code, called as the grader's `Student` calls them."""

    def __init__(self, source: str) -> None:
        self._names: dict[str, Any] = {}
        exec(compile(source, "solution.py", "exec"), self._names)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        given = [_function(each) if callable(each) else _sent(each, tuple) for each in args]
        return _sent(self._names[name](*given, **_sent(kwargs, tuple)), list)

    def policy(self, name: str) -> Any:
        return self._names[name]()

    def record(self, *told: Any) -> None:
        """For the leaderboard, which no wrong answer is on."""


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the grader's as students have it: what goes in and out is sent."""
    return lambda *args: _sent(function(*_sent(list(args), list)), tuple)


def _sent(value: Any, tuples: type) -> Any:
    return read_frame(write_frame(value)[LENGTH.size :], tuples)


@cache
def judges_of(number: str) -> tuple[Test, ...]:
    """The same for all wrong answers, so that a controller that many of them share is played once."""
    return find_assignment(number).load_tests()


def reference(number: str) -> str:
    return (SOLUTIONS / number / "solution.py").read_text(encoding="utf-8")


def template(number: str) -> str:
    return find_assignment(number).template.read_text(encoding="utf-8")


def with_mistake(number: str, right: str, wrong: str) -> str:
    """The reference with some of its text replaced, which must be there once."""
    source = reference(number)
    assert source.count(right) == 1, f"{right!r} stands {source.count(right)} times in the reference"
    return source.replace(right, wrong)


def lost_points(number: str, source: str, without: Collection[str] = ()) -> dict[str, float]:
    """The points that each failed test takes, by its number; a test that raised anything has failed.

    Args:
        number: of the assignment.
        source: the code.
        without: numbers of tests that are not run, because they take long.
    """
    lost = {}
    for test in judges_of(number):
        if test.number in without:
            continue
        share = share_of(test, source)
        if share < 1:
            lost[test.number] = (1 - share) * test.points
    return lost


def share_of(test: Test, source: str) -> float:
    try:
        share = test.run(Answerer(source))  # type: ignore[arg-type]
    except (ChunkenvError, ArithmeticError, IndexError, KeyError, NotImplementedError, TypeError, ValueError):
        return 0.0
    return 1.0 if share is None else share


def score(number: str, source: str) -> float:
    return 100.0 - sum(lost_points(number, source).values())
