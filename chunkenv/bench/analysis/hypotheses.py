"""What is expected of a study, and whether its rows confirm it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.analysis.solve_rates import Setting, Solved


class Hypothesis(NamedTuple):
    """What is expected: that the contrast is above `-margin`.

    Attributes:
        text: the hypothesis in words.
        plus: settings, and
        minus: settings, as `Solved.contrast` has them.
        margin: 0, or how much less still counts as equal.
    """

    text: str
    plus: tuple[Setting, ...]
    minus: tuple[Setting, ...]
    margin: float = 0.0


class Finding(NamedTuple):
    """A hypothesis, the contrast that was found, and what follows: 'confirmed', 'refuted' or 'undecided'."""

    hypothesis: Hypothesis
    contrast: Interval
    verdict: str


def check_hypotheses(hypotheses: Iterable[Hypothesis], solved: Solved[Setting]) -> list[Finding]:
    """What the rows say of each hypothesis whose settings were played."""
    played = [hypothesis for hypothesis in hypotheses if solved.has(hypothesis.plus + hypothesis.minus)]
    return [_check(hypothesis, solved.contrast(hypothesis.plus, hypothesis.minus)) for hypothesis in played]


def _check(hypothesis: Hypothesis, contrast: Interval) -> Finding:
    """Confirmed or refuted where the whole interval says so.

    >>> _check(Hypothesis("a beats b", (), ()), Interval(0.2, 0.1, 0.3)).verdict
    'confirmed'
    >>> _check(Hypothesis("a is no worse than b", (), (), margin=0.02), Interval(0.0, -0.01, 0.01)).verdict
    'confirmed'
    """
    if contrast.low > -hypothesis.margin:
        return Finding(hypothesis, contrast, "confirmed")
    return Finding(hypothesis, contrast, "refuted" if contrast.high < -hypothesis.margin else "undecided")
