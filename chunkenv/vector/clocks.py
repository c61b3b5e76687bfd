"""N clocks: those that stand alike are planned once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from chunkenv.clock import ChunkClock, Cycle, FlightClock, Schedule, bootstrap_discount, plan_cycle
from chunkenv.request import Chunk
from chunkenv.vector.chunk_store import ChunkStore
from chunkenv.wrappers.underrun import fill_underruns

ClockType = TypeVar("ClockType", ChunkClock, FlightClock)

LAST = -1


class Cycles(NamedTuple):
    """The cycles of N environments: `which[i]` says which of the few different `plans` is that of environment i.

    Each plan is a `chunkenv.clock.Cycle`, or a `Schedule` where several inferences are in flight or rows stream.
    """

    plans: list[Any]
    which: np.ndarray

    def row_indices(self) -> np.ndarray:
        """Which row of a chunk acts in each tick, int64[N, T]; -1 in an underrun, and beyond the cycle."""
        columns = [[source.row for source in plan.sources()] for plan in self.plans]
        table = np.full((len(columns), max(1, *map(len, columns))), -1, np.int64)
        for row, column in zip(table, columns, strict=True):
            row[: len(column)] = column
        return table[self.which]


class Met(NamedTuple):
    """Delays that some environments have met: int64[N], and bool[N] which of them have."""

    delays: np.ndarray
    members: np.ndarray


class Outcome(NamedTuple):
    """What decisions came to, each int64[N] or bool[N] but for `discount`, float64[N]: see `ChunkedExecution`.

    `left`, int64[N, 2], is start and stop of the rows left of each one's chunk, as `Clocks.left`.
    """

    discount: np.ndarray
    delay: np.ndarray
    underruns: np.ndarray
    discarded: np.ndarray
    arrived: np.ndarray
    left: np.ndarray


def find_groups(*columns: np.ndarray) -> tuple[list[tuple[int, ...]], np.ndarray]:
    """The distinct rows of columns of whole numbers (at least 0) and, for each row, which of them it is.

    >>> find_groups(np.array([4, 4, 0]), np.array([1, 1, 0]))
    ([(0, 0), (4, 1)], array([1, 1, 0]))
    """
    if not any(np.count_nonzero(column != column[0]) for column in columns):  # as a constant delay has it: no sorting
        return [tuple(int(column[0]) for column in columns)], np.zeros(len(columns[0]), np.int64)
    table = np.stack(columns).astype(np.int64)
    keys = np.ravel_multi_index(tuple(table), tuple(table.max(axis=1) + 1))
    _, firsts, which = np.unique(keys, return_index=True, return_inverse=True)
    return [tuple(row) for row in table[:, firsts].T.tolist()], which.reshape(-1)


class SharedSettings(Generic[ClockType]):
    """The settings that the clocks of N environments have in common.

    Args:
        clock: has them.
    """

    def __init__(self, clock: ClockType) -> None:
        self._clock = clock

    @property
    def prediction_horizon(self) -> int:
        """Rows in a chunk, H."""
        return self._clock.prediction_horizon

    @property
    def execution_horizon(self) -> int:
        """Ticks between two requests, s."""
        return self._clock.execution_horizon

    @property
    def horizons(self) -> tuple[int, int] | None:
        """The execution horizons that the agent chooses from, or None."""
        return self._clock.horizons

    @property
    def max_in_flight(self) -> int:
        """Inferences under way at a time, k."""
        return self._clock.max_in_flight


class Clocks(SharedSettings[ChunkClock]):
    """The clocks of N environments, each in its own phase.

    Equal ones are planned together, so that a constant delay costs one plan, not N.

    Args:
        clock: has the horizons and the cold start that they all have.
        num_envs: N.

    Attributes:
        tick: int64[N], control steps since each one's reset.
        left: int64[N, 2], start and stop of the rows left of each one's previous chunk.
    """

    def __init__(self, clock: ChunkClock, num_envs: int) -> None:
        super().__init__(clock)
        self.tick = np.zeros(num_envs, np.int64)
        self.left = np.zeros((num_envs, 2), np.int64)
        self._cold = np.ones(num_envs, bool)

    @property
    def next_is_free(self) -> np.ndarray:
        """Where the chunk of the next request is there at once, whatever an inference takes: bool[N]."""
        return self._cold & (self._clock.cold_start == "free")

    @property
    def oldest(self) -> int:
        """How many chunks may still act: 1."""
        return 1

    @property
    def left_lengths(self) -> np.ndarray:
        """How many rows are left of each one's previous chunk, int64[N]."""
        return self.left[:, 1] - self.left[:, 0]

    def prefix_lengths(self, estimates: np.ndarray) -> np.ndarray:
        """How many rows of the previous chunks run during inferences of `estimates` ticks, int64[N]."""
        return np.minimum(self.left_lengths, estimates)

    def rows_left(self, store: ChunkStore, lengths: np.ndarray) -> Chunk:
        """The first `lengths` of the rows left, [N, H, ...]; the rest is filling."""
        return store.rows_from(self.left[:, 0], lengths)

    def pending(self, store: ChunkStore) -> None:
        """The chunks in flight at a request: none."""

    def reset(self, members: np.ndarray) -> None:
        """Set the clocks of some environments (bool[N]) to the start of an episode."""
        self.tick[members] = 0
        self.left[members] = 0
        self._cold[members] = True

    def usable(self, delays: np.ndarray) -> np.ndarray:
        """After how many ticks each chunk may first act, int64[N]."""
        return delays

    def cycles(self, delays: np.ndarray, horizons: np.ndarray | None = None) -> Cycles:
        """What the requests play if their inferences take `delays` ticks, int64[N].

        Args:
            delays: int64[N].
            horizons: int64[N], the execution horizons that were chosen; None: the clock's.
        """
        real = np.where(self.next_is_free, 0, delays)
        chosen = () if horizons is None else (horizons,)
        groups, which = find_groups(self.left[:, 0], self.left[:, 1], real, *chosen)
        return Cycles([self._plan(*group) for group in groups], which)

    def _plan(self, start: int, stop: int, delay: int, horizon: int | None = None) -> Cycle:
        clock, left = self._clock, range(start, stop)
        executed = clock.execution_horizon if horizon is None else horizon
        return plan_cycle(clock.prediction_horizon, executed, clock.overlap, left, delay)

    def places(self, cycles: Cycles, underrun: str) -> Places:
        """Where the actions of the cycles stand, if an underrun acts as `Underrun.kind` says."""
        return places(cycles, self.prediction_horizon, underrun)

    def outcome(
        self, cycles: Cycles, played: np.ndarray, terminated: np.ndarray, ended: np.ndarray, discount: float
    ) -> Outcome:
        """What the first `played` ticks of each cycle came to."""
        return outcome(cycles, played, terminated, ended, discount)

    def summary(self, cycles: Cycles, played: np.ndarray) -> dict[str, np.ndarray]:
        """What infos have besides: nothing."""
        return {}

    def advance(self, cycles: Cycles, result: Outcome, played: np.ndarray, members: np.ndarray) -> list[Met]:
        """Go on by `played` ticks (int64[N]), to the rows left by them, in some environments (bool[N]).

        Returns:
            The delays that are known from now on; that of a free first chunk is none.
        """
        met = [Met(result.delay, members & ~self.next_is_free)]
        self.left[members] = result.left[members]
        self.tick[members] += played[members]
        self._cold[members] = False
        return met


Kept: TypeAlias = tuple[bool, tuple[int, int]]
"""`Outcome.arrived` and `Outcome.left` of one environment."""


def rows_kept(cycle: Cycle, played: int) -> Kept:
    """What is kept after some ticks, with one inference at a time."""
    left = cycle.left_after(played)
    return cycle.arrived_by(played), (left.start, left.stop)


def outcome(
    cycles: Cycles,
    played: np.ndarray,
    terminated: np.ndarray,
    ended: np.ndarray,
    discount: float,
    kept: Callable[[Any, int], Kept] = rows_kept,
) -> Outcome:
    """What the first `played` ticks of each cycle came to, and what is `kept` after them."""
    groups, which = find_groups(cycles.which, played, terminated, ended)
    lines = [
        (
            bootstrap_discount(discount, count, bool(over)),
            cycles.plans[plan].delay,
            cycles.plans[plan].underruns_within(count),
            cycles.plans[plan].discarded(count, bool(end)),
            *kept(cycles.plans[plan], count),
        )
        for plan, count, over, end in groups
    ]
    return Outcome(*(np.array(column)[which] for column in zip(*lines, strict=True)))


@lru_cache(maxsize=4096)
def account(cycle: Cycle | Schedule, played: int) -> tuple[np.ndarray, np.ndarray]:
    """Source and staleness of each of the first `played` ticks, int64[played, 2] and int64[played], not to be changed.

    >>> account(ChunkClock(8, 2).cycle(0), 2)[1]
    array([0, 1])
    """
    sources = np.array(cycle.sources(played), np.int64).reshape(played, 2)
    return sources, np.array(cycle.staleness(played), np.int64)


class Places(NamedTuple):
    """Where the actions of N cycles stand among [own chunk, previous chunks], the newest first: int64[N, T].

    Attributes:
        rows: int64[N, T]; `LAST` is the action that waits, the last one executed; beyond `ticks`, some row.
        ticks: int64[N], how many ticks are to be played.
        stopped: bool[N], whether there are fewer than the cycle has, because an underrun stops the episode.
    """

    rows: np.ndarray
    ticks: np.ndarray
    stopped: np.ndarray


def places(cycles: Cycles, horizon: int, underrun: str) -> Places:
    """Where the actions of the cycles stand, if an underrun acts as `Underrun.kind` says."""
    table = _places(tuple(cycles.plans), horizon, underrun)
    return Places(*(column[cycles.which] for column in table))


@lru_cache(maxsize=4096)
def _places(plans: tuple[Cycle, ...], horizon: int, underrun: str) -> Places:
    """The places of a few plans, not to be changed."""
    of_chunks = range(horizon, 2 * horizon), range(horizon), LAST
    return table_of([fill_underruns(plan, underrun, *of_chunks) for plan in plans], plans)


def table_of(columns: Sequence[Sequence[int]], plans: Sequence[Cycle | Schedule]) -> Places:
    """The places in `columns`, one of each plan."""
    lengths = np.array([len(column) for column in columns])
    rows = np.zeros((len(columns), max(1, lengths.max())), np.int64)
    for row, column in zip(rows, columns, strict=True):
        row[: len(column)] = column
    return Places(rows, lengths, lengths < np.array([plan.ticks for plan in plans]))
