"""A cycle: what runs from one request to the next, if one inference is under way at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


class Source(NamedTuple):
    """Where the action of a tick came from: `age` 0 is the chunk of this cycle, 1 the one before; `row` is its row."""

    age: int
    row: int


UNDERRUN = Source(-1, -1)
"""The source of a tick in which no row ran."""


class Steady(NamedTuple):
    """What `decisions` decisions, one after the other, come to when all inferences take the same."""

    decisions: int
    ticks: int
    underruns: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """What runs from one request to the next: first `prefix`, then `underruns` empty ticks, then `own`.

    Attributes:
        delay: ticks that the inference really takes.
        prefix: rows of the previous chunk that run while the inference is under way.
        underruns: ticks with no row.
        own: rows of this cycle's chunk that run before the next request.
        superseded: rows of the previous chunk that this one replaces when it arrives.
        late: rows of this chunk whose ticks were over when it arrived.
        unused: rows of this chunk that a synchronous robot throws away at the next request.
        kept: rows of this chunk that the robot keeps for after the next request: H, or 0 for a synchronous one.
    """

    delay: int
    prefix: range
    underruns: int
    own: range
    superseded: int
    late: int
    unused: int
    kept: int

    @property
    def ticks(self) -> int:
        """Ticks until the next request, if the episode goes on."""
        return len(self.prefix) + self.underruns + len(self.own)

    def sources(self, played: int | None = None) -> list[Source]:
        """The source of each of the first `played` ticks (all, if None)."""
        rows = (
            [Source(1, row) for row in self.prefix] + [UNDERRUN] * self.underruns + [Source(0, row) for row in self.own]
        )
        return rows[:played]

    def staleness(self, played: int | None = None) -> list[int]:
        """Age in ticks, per tick, of the observation behind the executed action; -1 for an underrun.

        A row of the previous chunk is as old as its number (overlap); a row of this one as the ticks since the request.
        """
        return [{1: source.row, 0: tick, -1: -1}[source.age] for tick, source in enumerate(self.sources(played))]

    def underruns_within(self, played: int) -> int:
        """How many of the first `played` ticks had no row."""
        return min(max(played - len(self.prefix), 0), self.underruns)

    def discarded(self, played: int, ended: bool) -> int:
        """Rows thrown away in the first `played` ticks; what is left when an episode ends is dropped, not discarded."""
        arrived = self.superseded + self.late if self.arrived_by(played) else 0
        return arrived + (0 if ended else self.unused)

    def arrived_by(self, played: int) -> bool:
        """Whether this cycle's chunk is there after `played` ticks.

        >>> plan_cycle(8, 4, True, range(4, 8), 2).arrived_by(2)
        True
        """
        return played >= self.delay

    def left_after(self, played: int) -> range:
        """Rows left after `played` ticks: of this cycle's chunk if it has arrived, else of the previous one."""
        if self.arrived_by(played):
            return range(min(played, self.kept), self.kept)
        stop = self.prefix.stop + self.superseded
        return range(min(self.prefix.start + played, stop), stop)


@lru_cache(maxsize=4096)
def plan_cycle(prediction_horizon: int, execution_horizon: int, overlap: bool, left: range, delay: int) -> Cycle:
    """The cycle of a request at which the rows `left` of the previous chunk are still to run.

    >>> plan_cycle(8, 4, True, range(4, 8), 2).sources()[:3]
    [Source(age=1, row=4), Source(age=1, row=5), Source(age=0, row=2)]
    """
    horizon = prediction_horizon
    if not overlap:
        own, unused = range(execution_horizon), horizon - execution_horizon
        return Cycle(delay, range(0), delay, own, len(left), 0, unused, 0)
    prefix = left[:delay]
    ticks = max(execution_horizon, delay)
    late = min(delay, horizon)
    return Cycle(
        delay=delay,
        prefix=prefix,
        underruns=delay - len(prefix),
        own=range(late, max(late, min(ticks, horizon))),
        superseded=len(left) - len(prefix),
        late=late,
        unused=0,
        kept=horizon,
    )
