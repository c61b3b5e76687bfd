"""The clock of one environment and the rows that it has: with one inference at a time, and with several in flight."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from gymnasium.vector.utils import concatenate, create_empty_array

from chunkenv.clock import ChunkClock, Cycle, Delay, FlightClock, Schedule, Source
from chunkenv.request import Chunk, Pending
from chunkenv.utils.spaces import cut, padding
from chunkenv.utils.types import Action, AnySpace
from chunkenv.wrappers.underrun import fill_by_source, fill_underruns


class Queue(Protocol):
    """What both queues are. A plan is a `Cycle` of the one or a `Schedule` of the other."""

    clock: Any

    def reset(self) -> None:
        """Start an episode."""
        ...

    def left_over(self) -> Chunk:
        """The rows that would run without another request, in the layout of a chunk."""
        ...

    def pending(self) -> tuple[Pending, ...]:
        """The chunks in flight at a request, newest first."""
        ...

    def plan(self, delay: Any, horizon: int | None = None, expected: int | None = None) -> Any:
        """What the request of this tick plays."""
        ...

    def fill(self, plan: Any, rows: list[Action], kind: str, waiting: Action) -> list[Action]:
        """What acts in each tick of a plan with `rows` of its own chunk."""
        ...

    def advance(self, plan: Any, played: int, chunk: Chunk, rows: list[Action]) -> list[int]:
        """Go on by `played` ticks; the delays that are known from now on."""
        ...


class ChunkQueue:
    """One inference at a time: a `ChunkClock`, and the chunk that acted last.

    Args:
        clock: the clock, at the start of an episode.
        chunks: the space of chunks.
        chunk: the one that acted last, if there is one.
        rows: the same, row by row.

    Attributes:
        clock: the clock.
    """

    def __init__(
        self, clock: ChunkClock, chunks: AnySpace, chunk: Chunk | None = None, rows: list[Action] | None = None
    ) -> None:
        self.clock, self._chunks = clock, chunks
        self._chunk: Chunk = padding(chunks) if chunk is None else chunk
        self._rows = rows or []

    def reset(self) -> None:
        """Start an episode."""
        self.clock.reset()

    def left_over(self) -> Chunk:
        """The rows left, in the layout of a chunk."""
        left = self.clock.left
        return cut(self._chunks, self._chunk, slice(left.start, left.stop))

    def pending(self) -> tuple[Pending, ...]:
        """The chunks in flight at a request: none."""
        return ()

    def plan(self, delay: int, horizon: int | None = None, expected: int | None = None) -> Cycle:
        """What the request of this tick plays; see `ChunkClock.cycle`. What is expected changes nothing."""
        return self.clock.cycle(delay, horizon)

    def fill(self, plan: Cycle, rows: list[Action], kind: str, waiting: Action) -> list[Action]:
        """What acts in each tick of a cycle with `rows` of its own chunk; see `fill_underruns`."""
        return fill_underruns(plan, kind, self._rows, rows, waiting)

    def advance(self, plan: Cycle, played: int, chunk: Chunk, rows: list[Action]) -> list[int]:
        """Go on by `played` ticks, and keep the chunk if it has arrived.

        Returns:
            The delays that are known from now on; that of a free first chunk is none.
        """
        met = [] if self.clock.next_is_free else [plan.delay]
        if plan.arrived_by(played):
            self._chunk, self._rows = chunk, rows
        self.clock.advance(plan, played)
        return met


class FlightQueue:
    """Several inferences in flight, or rows that stream: a `FlightClock`, and the chunks that may still act.

    Args:
        clock: the clock, at the start of an episode.
        chunks: the space of chunks.
        action_space: the space of one action.

    Attributes:
        clock: the clock.
    """

    def __init__(self, clock: FlightClock, chunks: AnySpace, action_space: AnySpace) -> None:
        self.clock, self._chunks, self._action_space = clock, chunks, action_space
        self._recent: deque[tuple[Chunk, list[Action]]] = deque()

    def reset(self) -> None:
        """Start an episode."""
        self.clock.reset()
        self._recent.clear()

    def left_over(self) -> Chunk:
        """The rows that would run without another request, in the layout of a chunk."""
        rows = [self._row(source) for source in self.clock.foresee(self.clock.prediction_horizon)]
        if not rows:
            return cut(self._chunks, padding(self._chunks), slice(0, 0))
        return concatenate(self._action_space, rows, create_empty_array(self._action_space, len(rows)))

    def pending(self) -> tuple[Pending, ...]:
        """The chunks in flight at a request, newest first."""
        return tuple(Pending(self._recent[age - 1][0], ticks) for age, ticks in self.clock.pending)

    def plan(self, delay: Delay, horizon: int | None = None, expected: int | None = None) -> Schedule:
        """What the request of this tick plays; see `FlightClock.cycle`."""
        return self.clock.cycle(delay, horizon, expected)

    def fill(self, plan: Schedule, rows: list[Action], kind: str, waiting: Action) -> list[Action]:
        """What acts in each tick of a schedule with `rows` of its own chunk; see `fill_by_source`."""

        def row_of(source: Source) -> Action:
            return self._row(source) if source.age else rows[source.row]

        return fill_by_source(plan.sources(), row_of, kind, waiting)

    def advance(self, plan: Schedule, played: int, chunk: Chunk, rows: list[Action]) -> list[int]:
        """Go on by `played` ticks, and keep the chunk.

        Returns:
            The delays that are known from now on, of the inferences that have finished.
        """
        self._recent.appendleft((chunk, rows))
        met = self.clock.advance(plan, played)
        self._forget()
        return met

    def _forget(self) -> None:
        """Keep what can still act, and what is in flight: a slow inference may be older than many that have arrived.

        So may be the one that acts, if streams end before a row of theirs can. An episode that was cut short has asked
        once more.
        """
        oldest = max((age for age, _ in [*self.clock.pending, *self.clock.foresee(1)]), default=0)
        while len(self._recent) > max(oldest, self.clock.max_in_flight + 1):
            self._recent.pop()

    def _row(self, source: Source) -> Action:
        """The row of a chunk; age 1 is the chunk that was kept last."""
        return self._recent[source.age - 1][1][source.row]
