"""Which delay a method had better plan with: the expected or the largest, by paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chunkenv.bench.analysis.intervals import UNKNOWN, Interval
from chunkenv.bench.analysis.solve_rates import Solved


class LateSetting(NamedTuple):
    """What a cell of the latency study is beside its task."""

    method: str
    latency: str
    mean_delay: int
    plans_with: str


class Planning(NamedTuple):
    """What planning with the largest delay gains over planning with the expected one.

    Attributes:
        method: its name.
        overall: the mean over all latencies that were planned for in both ways.
        by_latency: the mean over the mean delays of each.
    """

    method: str
    overall: Interval
    by_latency: dict[str, Interval]

    @property
    def better(self) -> str:
        """'largest' or 'expected' where the whole interval says so, else 'either'."""
        if not self.overall.excludes_zero:
            return "either"
        return "largest" if self.overall.estimate > 0 else "expected"


def compare_plans(solved: Solved[LateSetting]) -> list[Planning]:
    """What planning with the largest delay gains, method by method, on the same episodes with the same latencies."""
    both = [each for each in solved.settings if each.plans_with == "largest"]
    latencies = dict.fromkeys(each.latency for each in both)
    found = []
    for method in dict.fromkeys(each.method for each in both):
        own = [each for each in both if each.method == method]
        by_latency = {name: _gain(solved, [each for each in own if each.latency == name]) for name in latencies}
        found.append(Planning(method, _gain(solved, own), by_latency))
    return found


def _gain(solved: Solved[LateSetting], largest: Sequence[LateSetting]) -> Interval:
    """The mean paired difference over some settings, each to the same one planned with the expected delay."""
    expected = [each._replace(plans_with="expected") for each in largest]
    if not largest or not solved.has(expected):
        return UNKNOWN
    return Interval(*(end / len(largest) for end in solved.contrast(largest, expected)))
