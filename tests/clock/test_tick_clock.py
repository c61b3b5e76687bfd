"""The clock tick by tick: equal to the clock of cycles; what it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import UNDERRUN, ChunkClock, FlightClock, Source, TickClock
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


def streaming(execution_horizon=4, **settings):
    """A clock of eight rows whose first chunk is there, with a request in tick 4."""
    clock = TickClock(8, execution_horizon, **settings)
    clock.arrive(clock.request(0), 0)
    for _ in range(4):
        clock.next()
    return clock, clock.request(4)


def test_rows_that_stream_act_from_the_first_that_is_in_time():
    clock, streamed = streaming()
    assert not clock.arrive(streamed, 4, rows=0, finished=False)
    assert clock.next() == Source(1, 4)
    assert not clock.arrive(streamed, 5, rows=1, finished=False)
    assert clock.next() == Source(1, 5)
    assert (clock.waited_for, clock.discarded) == ([streamed], 0)
    assert clock.arrive(streamed, 6, rows=3, finished=False)
    assert (clock.left, clock.discarded) == (range(2, 3), 2 + 2)
    assert (clock.waited_for, clock.in_flight) == ([], [streamed])
    assert (clock.next(), clock.staleness, clock.left) == (Source(0, 2), 2, range(3, 3))
    assert (clock.next(), clock.staleness, clock.discarded, clock.underruns) == (UNDERRUN, -1, 5, 1)
    assert not clock.is_due, "four ticks are over, but the inference is under way"
    assert clock.arrive(streamed, 8, rows=8, finished=False)
    assert (clock.in_flight, clock.left, clock.is_due) == ([], range(4, 8), True)


def test_rows_that_are_there_stay():
    clock, streamed = streaming()
    assert clock.arrive(streamed, 4, rows=6, finished=False)
    assert clock.arrive(streamed, 4, rows=2)
    assert (clock.left, clock.in_flight) == (range(0, 6), [])


def test_an_inference_that_stops_without_a_row_in_time_is_no_chunk():
    clock, streamed = streaming()
    clock.next()
    assert not clock.arrive(streamed, 5, rows=1)
    assert (clock.in_flight, clock.discarded, clock.overtaken, clock.next()) == ([], 8, 0, Source(1, 5))


def test_a_chunk_that_a_newer_one_replaced_never_acts_again():
    clock, older = streaming(2, max_in_flight=2)
    assert clock.arrive(older, 4, rows=2, finished=False)
    assert clock.next() == Source(0, 0)
    assert clock.next() == Source(0, 1)
    newer = clock.request(6)
    assert clock.arrive(newer, 6, rows=1, finished=False)
    assert clock.discarded == 4 + 6
    assert not clock.arrive(older, 6, rows=5, finished=False)
    assert clock.next() == Source(0, 0)
    assert not clock.arrive(older, 7)
    assert (clock.next(), clock.discarded, clock.overtaken) == (UNDERRUN, 4 + 6 + 1, 0)
    assert clock.in_flight == [newer]


def test_chunks_that_come_late_and_older_are_overtaken():
    clock = TickClock(8, 1, cold_start="charged", max_in_flight=3)
    waiting = []
    for tick in range(3):
        waiting.append(clock.request(tick))
        clock.next()
    assert clock.arrive(waiting[2], 3)
    assert (clock.next(), clock.overtaken) == (Source(0, 1), 0)
    assert [clock.arrive(each, 4) for each in waiting[:2]] == [False, False]
    assert (clock.overtaken, clock.next()) == (2, Source(0, 2))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (-1, "rows=-1 is too small; give an int of at least 0"),
        (9, "rows=9 is too large; give an int of at most 8"),
        (2.0, "rows=2.0 is not a whole number"),
    ],
)
def test_rows_that_cannot_be_are_refused(rows, sentence):
    clock, streamed = streaming()
    with pytest.raises(ArgumentError, match=sentence):
        clock.arrive(streamed, 4, rows=rows)


def test_what_is_foreseen_leaves_the_clock_alone():
    clock, first = streaming(2, max_in_flight=2)
    clock.next(), clock.next()
    second = clock.request(6)
    before = vars(clock.copy())
    foreseen = clock.foresee(8, {first: 4, second: 4})
    assert foreseen == [
        Source(3, 6),
        Source(3, 7),
        Source(2, 4),
        Source(2, 5),
        *(Source(1, row) for row in range(4, 8)),
    ]
    assert vars(clock) == before
    assert clock.foresee(3, {first: 1, second: (9, 9)}) == [Source(3, 6), Source(2, 3), Source(2, 4)]


def test_rows_that_are_expected_later_than_they_came_are_foreseen():
    clock, streamed = streaming()
    clock.arrive(streamed, 4, rows=3, finished=False)
    assert clock.foresee(8, {streamed: (0, 2, 6)}) == [Source(1, row) for row in range(3)]


@pytest.mark.parametrize("overlap", [True, False])
def test_nothing_is_foreseen_before_a_first_chunk_or_without_overlap(overlap):
    clock = TickClock(8, 4, overlap=overlap)
    assert clock.foresee(3, {}) == []
    clock.arrive(clock.request(0), 0)
    assert len(clock.foresee(3, {})) == (3 if overlap else 0)


def test_a_chosen_horizon_holds_until_the_next_request():
    clock = TickClock(8, (1, 4))
    requests = []
    for chosen in (2, None, 1, 3):
        while not clock.is_due:
            clock.next()
        requests.append(clock.tick)
        clock.arrive(clock.request(clock.tick), clock.tick)
        if chosen is not None:
            clock.choose_horizon(chosen)
        clock.next()
    assert requests == [0, 2, 6, 7]
    clock.reset()
    assert clock.is_due


# H = 4, s = 2. What each row takes; row (or None) of the ticks from a request to the next, and rows discarded by then.
SYNCHRONOUS_STREAMS = {
    "together": ((1, 1, 1, 1), [None, 0, 1], 2),
    "each in time": ((1, 2, 3, 4), [None, 0, 1, 2], 1),
    "one late": ((1, 3, 3, 3), [None, 0, None], 3),
    "still under way when s ticks are over": ((0, 0, 1, 6), [0, 1, 2, None, None, None], 1),
    "early stop": ((1,), [None, 0, None], 3),
    "early stop after the ticks of all rows": ((0, 7), [0, None, None, None, None, None, None], 3),
}


@pytest.mark.parametrize("cold_start", ["free", "charged"])
@pytest.mark.parametrize("name", SYNCHRONOUS_STREAMS)
def test_a_synchronous_robot_begins_with_row_0_as_soon_as_it_is_there(name, cold_start):
    delays, rows, discarded = SYNCHRONOUS_STREAMS[name]
    clock = FlightClock(4, 2, overlap=False, cold_start=cold_start)
    if cold_start == "free":
        clock.advance(clock.cycle(9))
    for _ in range(2):
        schedule = clock.cycle(delays)
        assert [None if each is UNDERRUN else each.row for each in schedule.sources()] == rows
        assert {each.age for each in schedule.sources()} - {-1} == {0}
        assert schedule.delay == delays[0]
        clock.advance(schedule)
        assert schedule.discarded(schedule.ticks, ended=False) == discarded
