"""`results.json` by Gradescope's schema: always there, always valid, whatever happens to the grader.

Source of the schema: https://gradescope-autograders.readthedocs.io/en/latest/specs/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chunkenv.course.grading.exercise import Test
from chunkenv.utils.files import atomic_file

VISIBILITY = {"visible": "visible", "hidden": "after_published"}
"""What Gradescope calls ours."""


@dataclass
class Judgement:
    """What became of one test.

    Attributes:
        test: which.
        score: points, in [0, test.points].
        output: why, and what the code printed.
        board: lines for the leaderboard: by name, how many episodes were solved, and of how many.
        delays: by the same names delays in ticks, for the pictures of the leaderboard.
    """

    test: Test
    score: float = 0.0
    output: str = "This test has not run."
    board: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    delays: Mapping[str, list[int]] = field(default_factory=dict[str, list[int]])

    def as_json(self) -> dict[str, Any]:
        """As Gradescope has it."""
        return {
            "name": self.test.name,
            "number": self.test.number,
            "score": round(self.score, 6),
            "max_score": self.test.points,
            "status": "passed" if self.score >= self.test.points else "failed",
            "output": self.output,
            "visibility": VISIBILITY[self.test.visibility],
        }


@dataclass
class Results:
    """What became of a submission; without points until tests have run.

    Attributes:
        isolation: 'user' or 'process'.
        judgements: one for each test.
        seconds: that grading took.
    """

    isolation: str
    judgements: list[Judgement]
    seconds: float = 0.0

    @classmethod
    def before(cls, tests: Iterable[Test], isolation: str) -> Results:
        """Those of a submission of which nothing has run."""
        return cls(isolation, [Judgement(test) for test in tests])

    @property
    def score(self) -> float:
        """Points of all tests together."""
        return round(float(sum(each.score for each in self.judgements)), 6)

    @property
    def board(self) -> dict[str, tuple[int, int]]:
        """Lines for the leaderboard, of all tests."""
        return {name: counts for each in self.judgements for name, counts in each.board.items()}

    @property
    def delays(self) -> dict[str, list[int]]:
        """Delays for the pictures of the leaderboard, of all tests."""
        return {name: delays for each in self.judgements for name, delays in each.delays.items()}

    def refuse(self, sentence: str) -> None:
        """Say of every test why none has run."""
        self.judgements = [Judgement(each.test, output=sentence) for each in self.judgements]

    def write(self, path: Path) -> None:
        """Write the file; until it is complete the old one stays.

        Raises:
            UnwritableError: it cannot be written.
        """
        content = {
            "score": self.score,
            "execution_time": round(self.seconds, 3),
            "stdout_visibility": "hidden",
            "tests": [each.as_json() for each in self.judgements],
            "leaderboard": [{"name": name, "value": round(n / of, 6)} for name, (n, of) in self.board.items()],
            "extra_data": {"isolation": self.isolation, "board": self.board, "delays": self.delays},
        }
        with atomic_file(path) as file:
            file.write(json.dumps(content, indent=1, allow_nan=False).encode())
