"""Every small case: H <= 4, all s, delays 0 to H + 1, both cold starts, with and without overlap.

Whatever is counted tick by tick must be what the clock of cycles has.
"""

import copy
from itertools import product

import pytest

from chunkenv.clock import ChunkClock, FlightClock, Source, TickClock

SETTINGS = [
    (rows, horizon, overlap, cold_start)
    for rows in range(1, 5)
    for horizon in range(1, rows + 1)
    for overlap, cold_start in product((True, False), ("free", "charged"))
]


def walk(cycles, other, depth):
    """Every sequence of `depth` delays, as a tree: `other` goes along with the clock of cycles."""
    if not depth:
        return 1
    cases = 0
    for delay in range(cycles.prediction_horizon + 2):
        cycle, branch, along = cycles.cycle(delay), copy.copy(cycles), other.twin()
        branch.advance(cycle)
        along.compare(cycles, cycle, delay)
        cases += walk(branch, along, depth - 1)
    return cases


def twin_of(clock):
    """Another `FlightClock` that stands as this one does."""
    twin = copy.copy(clock)
    twin.ticks, twin.flights = clock.ticks.copy(), dict(clock.flights)
    return twin


class Flights:
    """A `FlightClock` that goes along, with chunks that come at once, or row by row at the same time."""

    def __init__(self, setting, by_rows):
        self.clock, self.by_rows = FlightClock(*setting), by_rows

    def twin(self):
        twin = copy.copy(self)
        twin.clock = twin_of(self.clock)
        return twin

    def compare(self, cycles, cycle, delay):
        clock, rows = self.clock, cycles.prediction_horizon
        assert (clock.tick, clock.next_is_free, clock.pending) == (cycles.tick, cycles.next_is_free, [])
        assert clock.foresee(rows) == [Source(1, row) for row in cycles.left]
        schedule = clock.cycle((delay,) * rows if self.by_rows else delay)
        self.compare_schedule(schedule, cycle)
        for played in range(cycle.ticks):
            self.compare_end(schedule, cycle, cycles, played)
        clock.advance(schedule)

    def compare_schedule(self, schedule, cycle):
        assert (schedule.delay, schedule.ticks, schedule.underruns) == (cycle.delay, cycle.ticks, cycle.underruns)
        assert (schedule.sources(), schedule.staleness()) == (cycle.sources(), cycle.staleness())
        assert schedule.discarded(cycle.ticks, ended=False) == cycle.discarded(cycle.ticks, ended=False)
        assert list(schedule.flight.promise) == [
            (self.clock.ticks.requests - 1, source.row) for source in cycle.sources() if source.age == 1
        ]
        assert schedule.counts[-1][2:] == (0, 0, 0)
        for played in range(cycle.ticks + 1):
            assert schedule.sources(played) == cycle.sources(played)
            assert schedule.staleness(played) == cycle.staleness(played)
            assert schedule.underruns_within(played) == cycle.underruns_within(played)
            assert schedule.discarded(played, ended=True) == cycle.discarded(played, ended=True)
            assert schedule.arrived_by(played) == cycle.arrived_by(played)

    def compare_end(self, schedule, cycle, cycles, played):
        """The episode ends in mid-cycle: one request more finds the same rows left."""
        ended, at_end = copy.copy(cycles), twin_of(self.clock)
        ended.advance(cycle, played)
        at_end.advance(schedule, played)
        assert (at_end.tick, at_end.next_is_free) == (ended.tick, ended.next_is_free)
        age = 1 if cycle.arrived_by(played) else 2
        assert at_end.foresee(cycles.prediction_horizon) == [Source(age, row) for row in ended.left]


class Ticks:
    """A `TickClock` that goes along, in a loop of arrivals, request and row; it learns no delay beforehand."""

    def __init__(self, setting):
        self.clock, self.discarded, self.underruns = TickClock(*setting), 0, 0

    def twin(self):
        twin = copy.copy(self)
        twin.clock = self.clock.copy()
        return twin

    def compare(self, cycles, cycle, delay):
        clock = self.clock
        assert (clock.is_due, clock.tick, clock.next_is_free) == (True, cycles.tick, cycles.next_is_free)
        inference = self.request(cycles, cycle)
        for played in range(cycle.ticks + 1):
            if played == cycle.delay:
                assert clock.arrive(inference, clock.tick)
            assert clock.left == cycle.left_after(played) or not clock.overlap
            assert clock.underruns == self.underruns + cycle.underruns_within(played)
            assert clock.discarded == self.discarded + cycle.discarded(played, ended=True)
            if played < cycle.ticks:
                assert played == 0 or not clock.is_due
                assert (clock.next(), clock.staleness) == (cycle.sources()[played], cycle.staleness()[played])
        self.underruns += cycle.underruns
        self.discarded += cycle.discarded(cycle.ticks, ended=False)

    def request(self, cycles, cycle):
        """The prefix, and the request."""
        assert (self.clock.left, self.clock.prefix(cycle.delay)) == (cycles.left, cycle.prefix)
        inference = self.clock.request(self.clock.tick)
        assert self.clock.discarded == self.discarded
        return inference


OTHERS = {
    "flights": lambda setting: Flights(setting, by_rows=False),
    "flights, row by row": lambda setting: Flights(setting, by_rows=True),
    "ticks": Ticks,
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("rows", range(1, 5))
def test_small_cases(rows, other):
    depth = 3 if rows < 4 else 2
    counts = [walk(ChunkClock(*each), OTHERS[other](each), depth) for each in SETTINGS if each[0] == rows]
    assert sum(counts) == 4 * rows * (rows + 2) ** depth


@pytest.mark.slow
@pytest.mark.parametrize("other", OTHERS)
def test_all_small_cases(other):
    assert sum(walk(ChunkClock(*each), OTHERS[other](each), 4) for each in SETTINGS) == 30_608
