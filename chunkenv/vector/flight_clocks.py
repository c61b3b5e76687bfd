"""N clocks with several inferences in flight, or with rows that stream: those that stand alike are planned once."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import numpy as np

from chunkenv.clock import Delay, FlightClock, Schedule, Source, first_usable
from chunkenv.request import Chunk, VectorPending
from chunkenv.vector.chunk_store import ChunkStore
from chunkenv.vector.clocks import LAST, Cycles, Kept, Met, Outcome, Places, SharedSettings, outcome, table_of
from chunkenv.wrappers.underrun import fill_by_source

Kind = TypeVar("Kind")

MOST = 1024
"""Phases that are remembered."""


class FlightClocks(SharedSettings[FlightClock]):
    """The clocks of N environments, each in its own phase; `Clocks` is for one inference at a time.

    Args:
        clock: has the settings that they all have; at the start of an episode.
        num_envs: N.
        streams: whether rows come one by one.

    Attributes:
        tick: int64[N], control steps since each one's reset.
    """

    def __init__(self, clock: FlightClock, num_envs: int, streams: bool) -> None:
        super().__init__(clock)
        self._streams = streams
        self.tick = np.zeros(num_envs, np.int64)
        self._first = _Phase(clock.copy())
        self._phases = [self._first] * num_envs
        self._known = {self._first.clock.phase: self._first}

    @property
    def oldest(self) -> int:
        """How many chunks may still act, or are in flight: a slow inference may be older than many that have arrived.

        So may be the one that acts, if streams end before a row of theirs can. An episode that was cut short has asked
        once more.
        """
        return max(self.max_in_flight + 1, *(phase.oldest for phase in self._phases))

    @property
    def next_is_free(self) -> np.ndarray:
        """Where the chunk of the next request is there at once, whatever an inference takes: bool[N]."""
        return np.array([phase.clock.next_is_free for phase in self._phases])

    @property
    def left_lengths(self) -> np.ndarray:
        """How many rows would run without another request, int64[N]."""
        return np.array([len(phase.ahead) for phase in self._phases], np.int64)

    def prefix_lengths(self, estimates: np.ndarray) -> np.ndarray:
        """How many rows run during inferences of `estimates` ticks, if all that are in flight come as expected."""
        return np.minimum(self.left_lengths, estimates)

    def rows_left(self, store: ChunkStore, lengths: np.ndarray) -> Chunk:
        """The first `lengths` of the rows that would run without another request, [N, H, ...]; the rest is filling."""
        horizon = self.prediction_horizon
        groups, which = find_alike(self._phases)
        table = np.zeros((len(groups), horizon), np.int64)
        for row, phase in zip(table, groups, strict=True):
            row[: len(phase.ahead)] = [(age - 1) * horizon + place for age, place in phase.ahead]
        return store.rows_at(table[which], lengths)

    def pending(self, store: ChunkStore) -> VectorPending | None:
        """The chunks in flight; None with one inference at a time."""
        slots = self.max_in_flight - 1
        if not slots:
            return None
        groups, which = find_alike(self._phases)
        requests, ages = np.zeros((2, len(groups), slots), np.int64)
        for place, phase in enumerate(groups):
            for slot, source in enumerate(phase.pending):
                requests[place, slot], ages[place, slot] = source
        requests = requests[which]
        return VectorPending(store.chunks_of(requests), requests > 0, ages[which])

    def reset(self, members: np.ndarray) -> None:
        """Set the clocks of some environments (bool[N]) to the start of an episode."""
        self.tick[members] = 0
        for index in np.flatnonzero(members).tolist():
            self._phases[index] = self._first

    def usable(self, delays: np.ndarray) -> np.ndarray:
        """After how many ticks each chunk may first act, int64[N]; of rows that stream `delays` has each one's."""
        if delays.dtype != object:
            return delays
        return np.array([first_usable(delay, self._clock.overlap) for delay in delays], np.int64)

    def cycles(self, delays: np.ndarray, horizons: np.ndarray | None, expected: np.ndarray) -> Cycles:
        """What the requests play if their inferences take `delays` and are expected to take `expected` ticks.

        Args:
            delays: int64[N]; of rows that stream an object array, one delay for each row.
            horizons: int64[N], the execution horizons that were chosen; None: the clock's.
            expected: int64[N].
        """
        chosen: list[int | None] = [None] * len(delays) if horizons is None else horizons.tolist()
        each = zip(self._phases, delays.tolist(), chosen, expected.tolist(), strict=True)
        plans, which = find_alike([phase.cycle(delay, horizon, guess) for phase, delay, horizon, guess in each])
        return Cycles(plans, which)

    def places(self, cycles: Cycles, underrun: str) -> Places:
        """Where the actions of the cycles stand, if an underrun acts as `Underrun.kind` says."""

        def place_of(source: Source) -> int:
            return source.age * self.prediction_horizon + source.row

        columns = [fill_by_source(plan.sources(), place_of, underrun, LAST) for plan in cycles.plans]
        return Places(*(column[cycles.which] for column in table_of(columns, cycles.plans)))

    def outcome(
        self, cycles: Cycles, played: np.ndarray, terminated: np.ndarray, ended: np.ndarray, discount: float
    ) -> Outcome:
        """What the first `played` ticks of each cycle came to; all chunks are to be kept."""
        return outcome(cycles, played, terminated, ended, discount, _keep_all)

    def summary(self, cycles: Cycles, played: np.ndarray) -> dict[str, np.ndarray]:
        """What infos have besides: `ChunkedExecution` says what the keys mean."""
        values: dict[str, np.ndarray] = {}
        if self._streams:
            rows = [plan.delays_of_rows(self.prediction_horizon) for plan in cycles.plans]
            values["row_delays"] = np.array(rows, np.int64)[cycles.which]
        if self.max_in_flight > 1:
            pairs = zip(cycles.which.tolist(), played.tolist(), strict=True)
            counts = [cycles.plans[plan].counts[count] for plan, count in pairs]
            for key in ("overtaken", "in_flight", "broken_prefix"):
                values[key] = np.array([getattr(count, key) for count in counts], np.int64)
        return values

    def advance(self, cycles: Cycles, result: Outcome, played: np.ndarray, members: np.ndarray) -> list[Met]:
        """Go on by `played` ticks (int64[N]) in some environments (bool[N]).

        Returns:
            The delays that are known from now on: each environment may have met several.
        """
        after: dict[tuple[int, int, int], tuple[_Phase, list[int]]] = {}
        met: list[Met] = []
        counts, which = played.tolist(), cycles.which.tolist()
        for index in np.flatnonzero(members).tolist():
            phase, plan, count = self._phases[index], which[index], counts[index]
            if (key := (id(phase), plan, count)) not in after:
                after[key] = self._after(phase, cycles.plans[plan], count)
            self._phases[index], delays = after[key]
            _note(met, index, delays, len(self.tick))
        self.tick[members] += played[members]
        return met

    def _after(self, phase: _Phase, schedule: Schedule, played: int) -> tuple[_Phase, list[int]]:
        """The phase after some ticks, and the delays that are known by then."""
        clock = phase.clock.copy()
        met = clock.advance(schedule, played)
        if len(self._known) >= MOST:
            self._known.clear()
        return self._known.setdefault(clock.phase, _Phase(clock)), met


class _Phase:
    """How some clocks stand, and what they play from there; `clock` itself stays where it is."""

    def __init__(self, clock: FlightClock) -> None:
        self.clock = clock
        self._cycles: dict[tuple[Delay, int | None, int], Schedule] = {}

    @cached_property
    def ahead(self) -> list[Source]:
        """What would run without another request."""
        return self.clock.foresee(self.clock.prediction_horizon)

    @cached_property
    def pending(self) -> list[Source]:
        """The chunks in flight, newest first: see `FlightClock.pending`."""
        return self.clock.pending

    @cached_property
    def oldest(self) -> int:
        """How many requests ago the oldest chunk was asked for that acts or is in flight; 0 if there is none."""
        return max((age for age, _ in [*self.pending, *self.ahead[:1]]), default=0)

    def cycle(self, delay: Delay, horizon: int | None, expected: int) -> Schedule:
        """What a request plays: see `FlightClock.cycle`."""
        key = delay, horizon, expected
        if key not in self._cycles:
            if len(self._cycles) >= MOST:
                self._cycles.clear()
            self._cycles[key] = self.clock.cycle(delay, horizon, expected)
        return self._cycles[key]


def _keep_all(schedule: Schedule, played: int) -> Kept:
    """Every chunk is kept: which rows are left of it, its clock knows."""
    return True, (0, 0)


def find_alike(values: list[Kind]) -> tuple[list[Kind], np.ndarray]:
    """The different objects among N and, for each of the N, which of them it is."""
    places: dict[int, int] = {}
    different: list[Kind] = []
    for value in values:
        if places.setdefault(id(value), len(different)) == len(different):
            different.append(value)
    return different, np.array([places[id(value)] for value in values], np.int64)


def _note(met: list[Met], index: int, delays: list[int], num_envs: int) -> None:
    """Write down the delays that one environment has met, the n-th into the n-th of `met`."""
    for place, delay in enumerate(delays):
        if place == len(met):
            met.append(Met(np.zeros(num_envs, np.int64), np.zeros(num_envs, bool)))
        met[place].delays[index], met[place].members[index] = delay, True
