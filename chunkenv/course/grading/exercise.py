"""One test of an assignment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from chunkenv.course.grading.student import Student
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number

VISIBILITIES = ("visible", "hidden")


@dataclass(frozen=True)
class Test:
    """One test of an assignment.

    Args:
        name: what it tests, in a few words.
        number: as "2.1".
        points: for an answer that is right, above 0.
        visibility: 'visible' (`chunkenv course check` runs it) or 'hidden' (shown after the deadline).
        run: is given the student's code. It raises `WrongAnswer`, or returns None for all points, or the share of them
            in [0, 1].

    Raises:
        ArgumentError: for an invalid argument.
    """

    __test__ = False  # of this package, not of pytest

    name: str
    number: str
    points: float
    visibility: str
    run: Callable[[Student], float | None]

    def __post_init__(self) -> None:
        one_of("visibility", self.visibility, VISIBILITIES)
        if real_number("points", self.points, at_least=0) == 0:
            raise ArgumentError(f"points={self.points!r} of test {self.number} are none; give more than 0.")


def read_share(test: Test, share: object) -> float:
    """The share of its points that a test gave.

    Raises:
        ArgumentError: it is neither None nor a number in [0, 1]: a mistake in the test.
    """
    if share is None:
        return 1.0
    if not isinstance(share, int | float) or math.isnan(share) or not 0 <= share <= 1:
        raise ArgumentError(f"test {test.number} returned {share!r}; return None or a share from 0 to 1.")
    return float(share)
