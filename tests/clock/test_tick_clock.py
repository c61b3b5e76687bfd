"""The clock tick by tick: equal to the clock of cycles; what it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import UNDERRUN, ChunkClock, Source, TickClock
from chunkenv.errors import ArgumentError
from tests.clock.shared import cold_starts, delay_lists, horizons


def play_by_ticks(clock, by_cycles, delays, played_at_last):
    """Play an episode that ends in its last cycle, and compare with the cycles; the inference that is still under way.

    `clock` is told of a chunk when it arrives; only `by_cycles` knows the delays before.
    """
    underruns = discarded = 0
    for number, delay in enumerate(delays):
        assert (clock.is_due, clock.tick, clock.next_is_free) == (True, by_cycles.tick, by_cycles.next_is_free)
        cycle, last = by_cycles.cycle(delay), number == len(delays) - 1
        inference, arrival = clock.request(clock.tick), clock.tick + cycle.delay
        assert (clock.left, clock.discarded) == (by_cycles.left, discarded)
        assert [clock.prefix(ticks) for ticks in range(9)] == [by_cycles.prefix(ticks) for ticks in range(9)]
        assert clock.prefix(cycle.delay) == cycle.prefix
        if cycle.delay == 0:
            assert clock.arrive(inference, clock.tick)
        played = min(played_at_last, cycle.ticks) if last else cycle.ticks
        sources, staleness = [], []
        for _ in range(played):
            assert not clock.is_due
            sources.append(clock.next())
            staleness.append(clock.staleness)
            if clock.tick == arrival:
                assert clock.arrive(inference, arrival)
        assert (sources, staleness) == (cycle.sources(played), cycle.staleness(played))
        assert clock.left == cycle.left_after(played)
        underruns += cycle.underruns_within(played)
        discarded += cycle.discarded(played, ended=last)
        assert clock.underruns == underruns
        by_cycles.advance(cycle, played)
    assert clock.discarded == discarded
    return inference if clock.in_flight else None


def check_tick_clock(horizon, overlap, cold_start, episodes):
    """One tick clock over several episodes is a new clock of cycles in each."""
    clock = TickClock(*horizon, overlap, cold_start)
    for delays, played_at_last in episodes:
        void = play_by_ticks(clock, ChunkClock(*horizon, overlap, cold_start), delays, played_at_last)
        clock.reset()
        assert void is None or not clock.arrive(void, 0), "a chunk of the last episode acted in the next"
        assert (clock.discarded, clock.in_flight, clock.staleness) == (0, [], -1)


episode_lists = st.lists(st.tuples(delay_lists, st.integers(0, 20)), min_size=1, max_size=3)


@given(horizons, st.booleans(), cold_starts, episode_lists)
def test_tick_by_tick_is_cycle_by_cycle(horizon, overlap, cold_start, episodes):
    check_tick_clock(horizon, overlap, cold_start, episodes)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(horizons, st.booleans(), cold_starts, episode_lists)
def test_tick_by_tick_in_twenty_thousand_cases(horizon, overlap, cold_start, episodes):
    check_tick_clock(horizon, overlap, cold_start, episodes)


def play_in_flight(clock, delays, most, period, count):
    """Request every `period` ticks with `most` in flight; request ticks, and chunk and row of `count` ticks."""
    arrivals, requests, line = {}, [], []
    for tick in range(count):
        for inference in arrivals.pop(tick, []):
            clock.arrive(inference, tick)
        if len(clock.in_flight) < most and (not requests or tick - requests[-1] >= period):
            inference, delay = clock.request(tick), 0 if clock.next_is_free else delays[len(requests) % len(delays)]
            requests.append(tick)
            arrivals.setdefault(tick + delay, []).append(inference)
            if delay == 0:
                clock.arrive(inference, tick)
        source = clock.next()
        line.append(None if source is UNDERRUN else (len(requests) - 1 - source.age, source.row))
    return requests, line


# H, s, delay, how many may be in flight, ticks between requests; the first requests, the rows of a late period.
IN_FLIGHT = {
    "one": (8, 4, 2, 1, 4, [0, 4, 8], [4, 5, 2, 3]),
    "two, where one is enough": (8, 4, 2, 2, 4, [0, 4, 8], [4, 5, 2, 3]),
    "one, d > s": (8, 2, 4, 1, 2, [0, 2, 6, 10], [4, 5, 6, 7]),
    "two, d > s": (8, 2, 4, 2, 2, [0, 2, 4, 6], [4, 5]),
    "three, as soon as possible: they bunch": (8, 1, 6, 3, 1, [0, 1, 2, 3, 7, 8], [6, 6, 6, 7, None, None]),
    "three, evenly": (8, 2, 6, 3, 2, [0, 2, 4, 6], [6, 7]),
    "two, too few": (8, 3, 6, 2, 3, [0, 3, 6], [6, 7, None]),
}


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_several_in_flight_by_hand(name):
    horizon, executed, delay, most, period, first, rows = IN_FLIGHT[name]
    requests, line = play_in_flight(TickClock(horizon, executed), [delay], most, period, 200)
    assert requests[: len(first)] == first
    late = [None if place is None else place[1] for place in line[100 : 100 + len(rows)]]
    assert late in [rows[turn:] + rows[:turn] for turn in range(len(rows))]


@given(
    horizons, st.lists(st.integers(0, 15), min_size=1, max_size=12), st.integers(1, 4), st.integers(1, 6), cold_starts
)
def test_of_several_in_flight_the_newest_that_has_arrived_acts(horizon, delays, most, period, cold_start):
    clock = TickClock(*horizon, cold_start=cold_start)
    requests, line = play_in_flight(clock, delays, most, period, 40)
    free = cold_start == "free"
    arrivals = [tick + (0 if free and i == 0 else delays[i % len(delays)]) for i, tick in enumerate(requests)]
    for now, place in enumerate(line):
        newest = max((i for i, arrival in enumerate(arrivals) if arrival <= now and requests[i] <= now), default=None)
        row = horizon[0] if newest is None else now - requests[newest]
        assert place == ((newest, row) if row < horizon[0] else None)
    executed = sum(place is not None for place in line)
    assert clock.underruns == len(line) - executed
    chunks = len(requests) - len(clock.in_flight)
    assert executed + clock.discarded + len(clock.left) == chunks * horizon[0], "a row was lost or counted twice"


def test_an_older_chunk_that_comes_later_is_dropped():
    clock = TickClock(8, 2, cold_start="charged")
    older = clock.request(0)
    assert clock.next() is UNDERRUN
    newer = clock.request(1)
    assert clock.in_flight == [older, newer]
    assert clock.next() is UNDERRUN
    assert clock.arrive(newer, 2)
    assert (clock.discarded, clock.next(), clock.staleness) == (1, Source(0, 1), 1)
    assert not clock.arrive(older, 3)
    assert (clock.discarded, clock.next(), clock.in_flight) == (1 + 8, Source(0, 2), [])


def test_a_chunk_of_the_last_episode_is_void():
    clock = TickClock(4, 2, cold_start="charged")
    void = clock.request(0)
    clock.next()
    clock.reset()
    assert (clock.tick, clock.in_flight, clock.is_due) == (0, [], True)
    present = clock.request(0)
    assert not clock.arrive(void, 0)
    assert clock.in_flight == [present]
    assert clock.next() is UNDERRUN


def test_the_tick_clock_refuses_what_comes_out_of_order():
    clock = TickClock(4, 2)
    with pytest.raises(ArgumentError, match="cold_start='free' has the first chunk at once, but none has arrived by"):
        clock.next()
    with pytest.raises(ArgumentError, match="tick=3 is not the present tick: give 0"):
        clock.request(3)
    first = clock.request(0)
    with pytest.raises(ArgumentError, match="tick=1 is not the present tick: give 0"):
        clock.arrive(first, 1)
    assert clock.arrive(first, 0)
    with pytest.raises(ArgumentError, match="is not in flight"):
        clock.arrive(first, 0)


def test_a_synchronous_robot_waits_for_one_chunk_at_a_time():
    clock = TickClock(4, 2, overlap=False, cold_start="charged")
    first = clock.request(0)
    with pytest.raises(ArgumentError, match="overlap=False waits for one chunk at a time"):
        clock.request(0)
    clock.next()
    assert clock.arrive(first, 1)
    assert [(clock.next(), clock.staleness) for _ in range(2)] == [(Source(0, 0), 1), (Source(0, 1), 2)]
    clock.request(3)
    assert (clock.discarded, clock.next(), clock.underruns) == (2, UNDERRUN, 2)
