"""From request to request, with several inferences in flight or rows that stream: tables by hand; the definition."""

from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import UNDERRUN, ChunkClock, FlightClock, Source
from tests.clock.checks import check_flight, check_loop
from tests.clock.playing import Case, Loop, fly
from tests.clock.shared import cases

# H, s, delay, how many may be in flight, ticks between requests; the first requests, the rows of a late period.
IN_FLIGHT = {
    "one": (8, 4, 2, 1, None, [0, 4, 8], [4, 5, 2, 3]),
    "two, where one is enough": (8, 4, 2, 2, None, [0, 4, 8], [4, 5, 2, 3]),
    "one, d > s": (8, 2, 4, 1, None, [0, 2, 6, 10], [4, 5, 6, 7]),
    "two, d > s": (8, 2, 4, 2, None, [0, 2, 4, 6], [4, 5]),
    "three, as soon as possible: they bunch": (8, 1, 6, 3, 1, [0, 1, 2, 3, 7, 8], [6, 6, 6, 7, None, None]),
    "three, evenly": (8, 2, 6, 3, None, [0, 2, 4, 6], [6, 7]),
    "three, evenly without being told the period": (8, 1, 6, 3, None, [0, 2, 4, 6], [6, 7]),
    "two, too few": (8, 3, 6, 2, None, [0, 3, 6], [6, 7, None]),
}
WAYS = {"request to request": fly, "tick to tick": lambda case: Loop(case).run()}


def turns(rows):
    return [rows[turn:] + rows[:turn] for turn in range(len(rows))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", IN_FLIGHT)
def test_several_in_flight_by_hand(name, way):
    rows, horizon, delay, most, period, first, late = IN_FLIGHT[name]
    record = WAYS[way](Case(rows, horizon, [delay], most, period, typical=delay, ticks=120))
    assert record.requests[: len(first)] == first
    assert [place and place[1] for place in record.line[60 : 60 + len(late)]] in turns(late)
    assert record.line[60:].count(None) == 60 // len(late) * late.count(None)


# What each row takes; rows of a late cycle, how many rows its prefix has, ticks after which the chunk acts.
STREAMS = {
    "one half after the other": ((1, 1, 1, 1, 3, 3, 3, 3), [4, 1, 2, 3], 1),
    "the whole chunk": (3, [4, 5, 6, 3], 3),
    "the whole chunk, row by row": ((3,) * 8, [4, 5, 6, 3], 3),
    "a row is missing in its tick": ((1, 1, 3, 3, 3, 3, 3, 3), [4, 1, None, 3], 1),
    "the first rows come too late": ((1, 2, 2, 2, 4, 4, 4, 4), [4, 5, 2, 3], 2),
    "each row comes just after its tick: never in time": (tuple(range(1, 9)), [None] * 8, 8),
    "early stop": ((1, 1, 1), [None, 1, 2, None], 1),
    "early stop, too late": ((2, 2), [None] * 4, 2),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", STREAMS)
def test_streaming_rows_by_hand(name, way):
    delay, rows, _ = STREAMS[name]
    record = WAYS[way](Case(8, 4, [delay], ticks=80))
    start = record.requests[-2]
    assert [place and place[1] for place in record.line[start : record.requests[-1]]] == rows


@pytest.mark.parametrize("name", STREAMS)
def test_prefix_of_streaming_rows_by_hand(name):
    delay, rows, acts = STREAMS[name]
    clock = FlightClock(8, 4)
    for _ in range(5):
        clock.advance(clock.cycle(delay))
    schedule = clock.cycle(delay)
    prefix = clock.foresee(schedule.delay)
    assert schedule.delay == acts
    assert prefix == [Source(1, row) for row in rows[:acts] if row is not None]
    assert len(schedule.flight.promise) == len(prefix)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_it_flies_as_defined(case):
    check_flight(case)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_a_loop_of_ticks_is_as_defined(case):
    check_loop(case)


@settings(max_examples=200, deadline=None)
@given(cases(constant=True))
def test_with_constant_delays_the_prefix_is_a_promise(case):
    check_flight(case)
    assert fly(case).accounts[-1].broken == 0


def test_with_random_delays_and_two_in_flight_it_is_none():
    """2 is asked at tick 4 and overtakes 1, asked at 2: of the six rows that 1 was told will run, three do not."""
    record = fly(Case(12, 2, [0, 6, 1, 6], most=2, ticks=8))
    assert record.promises[1] == [(0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (0, 7)]
    assert record.line == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (2, 1), (2, 2), (2, 3)]
    assert [record.accounts[-1].broken, record.accounts[-1].overtaken] == [3, 1]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=20_000, deadline=None)
@given(cases())
def test_twenty_thousand_cases(case):
    check_flight(case)
    check_loop(case)


@st.composite
def wide_enough(draw):
    """Cases whose requests come every p ticks, because so many inferences suffice: d <= k p."""
    most, horizon = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    period = draw(st.integers(horizon, 8)) if most > 1 else horizon
    delay = draw(st.integers(0, most * period))
    rows = draw(st.integers(max(horizon, delay + period - 3), delay + period + 3))
    return Case(rows, horizon, [delay], most, period if most > 1 else None, ticks=80)


@settings(deadline=None)
@given(wide_enough())
def test_no_tick_is_without_a_row_if_a_chunk_covers_delay_and_period(case):
    """With d <= k p a chunk acts from row d to row d + p - 1: there are underruns exactly if H < d + p."""
    record, (delay,) = fly(case), case.delays
    assert record.requests == list(range(0, case.ticks, case.waits))
    assert (record.accounts[-1].underruns == 0) == (case.rows >= delay + case.waits)


@settings(deadline=None)
@given(cases(constant=True))
def test_the_steady_state_is_what_the_clock_comes_to(case):
    (delay,), clock = case.delays, case.clock(FlightClock)
    schedules = []
    for _ in range(20 + case.most):
        schedules.append(clock.cycle(delay))
        clock.advance(schedules[-1])
    late = schedules[20:]
    steady = case.clock(FlightClock).steady(delay)
    assert steady == (case.most, sum(each.ticks for each in late), sum(each.underruns for each in late))


def synchronous(waits, horizon):
    """What a synchronous robot runs, by definition: row i in the tick (first row there + i), if it is there by then."""
    ticks = max(waits[0] + horizon, waits[-1])
    rows = [tick - waits[0] for tick in range(ticks)]
    return [row if 0 <= row < len(waits) and waits[row] <= tick else None for tick, row in enumerate(rows)]


@settings(deadline=None)
@given(cases(most=1), st.integers(0, 40))
def test_a_synchronous_robot_with_rows_that_stream(case, played):
    clock = FlightClock(case.rows, case.horizon, overlap=False, cold_start="charged")
    for delay in case.delays:
        schedule = clock.cycle(delay)
        rows = synchronous((delay,) * case.rows if isinstance(delay, int) else delay, case.horizon)
        sources = schedule.sources()
        assert [None if each is UNDERRUN else each.row for each in sources] == rows
        executed = sum(row is not None for row in rows)
        assert schedule.underruns == len(rows) - executed
        assert schedule.discarded(len(rows), ended=False) == case.rows - executed
        cut = min(played, len(rows))
        assert schedule.underruns_within(cut) == rows[:cut].count(None)
        started = rows.index(0) if 0 in rows[:cut] else cut
        assert schedule.discarded(cut, ended=True) == sum(
            row is None and tick - started < case.rows for tick, row in enumerate(rows[:cut]) if tick > started
        )
        clock.advance(schedule)


def test_delays_of_rows():
    clock = FlightClock(4, 2, cold_start="charged")
    assert clock.cycle(3).delays_of_rows(4) == [3, 3, 3, 3]
    assert clock.cycle((1, 1, 2)).delays_of_rows(4) == [1, 1, 2, -1]


def test_the_delays_that_are_known_after_each_decision():
    """Requests at 0, 2, 4, 7 and 9: what was asked at 2 comes at 8, in the decision of 7; the first was free."""
    clock = FlightClock(12, 2, max_in_flight=2)
    assert [clock.advance(clock.cycle(delay)) for delay in (9, 6, 3, 1, 1)] == [[], [], [3], [6, 1], [1]]


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 10), st.booleans())
def test_steady_is_what_the_clock_of_cycles_has(rows, horizon, delay, overlap):
    settings = rows, min(horizon, rows), overlap
    assert FlightClock(*settings).steady(delay) == ChunkClock(*settings).steady(delay)


@settings(deadline=None)
@given(cases())
def test_clocks_in_the_same_phase_go_on_alike(case):
    """At every request another clock goes on, which stood like this perhaps many ticks before."""
    clock, delays = case.clock(FlightClock), cycle(case.delays)
    other, stood = clock.copy(), {}
    for _ in range(20):
        other = stood.setdefault(other.phase, other.copy()).copy()
        assert (other.phase, other.pending, other.foresee(9)) == (clock.phase, clock.pending, clock.foresee(9))
        delay = next(delays)
        schedule, alike = (each.cycle(delay, expected=case.expected) for each in (clock, other))
        assert (schedule.sources(), schedule.staleness()) == (alike.sources(), alike.staleness())
        assert (schedule.delay, schedule.counts, schedule.unused) == (alike.delay, alike.counts, alike.unused)
        assert clock.advance(schedule) == other.advance(alike)


def test_a_schedule_may_be_played_again_from_where_it_was_planned():
    clock = FlightClock(8, 2, max_in_flight=2)
    for _ in range(4):
        clock.advance(clock.cycle(4))
    schedule = clock.cycle(3)
    ends = []
    for played in (None, 1, schedule.ticks, None):
        twin = clock.copy()
        twin.advance(schedule, played)
        ends.append((twin.tick, twin.phase, twin.cycle(4)))
    assert ends[0] == ends[2] == ends[3] != ends[1]
    assert clock.tick == 8


def test_a_flight_clock_says_what_it_was_set_to():
    clock = FlightClock(8, (2, 6), overlap=False)
    settings = clock.prediction_horizon, clock.execution_horizon, clock.horizons, clock.overlap, clock.max_in_flight
    assert settings == (8, 6, (2, 6), False, 1)
    assert FlightClock(8, 2, max_in_flight=3).max_in_flight == 3


def test_a_prefix_is_what_is_foreseen_in_so_many_ticks():
    clock = FlightClock(8, 2, max_in_flight=2)
    for _ in range(3):
        clock.advance(clock.cycle(4))
    assert clock.prefix(3) == clock.foresee(3) == [Source(2, 4), Source(2, 5), Source(1, 4)]


def test_a_chosen_horizon_is_the_ticks_to_the_next_request():
    clock = FlightClock(8, (1, 6))
    ticks = []
    for delay, chosen in ((9, 3), (2, 1), (2, None), (0, 4)):
        schedule = clock.cycle(delay, chosen)
        ticks.append(schedule.ticks)
        clock.advance(schedule, schedule.ticks)
    assert ticks == [3, 2, 6, 4]
    cut, replayed = clock.copy(), clock.cycle(1, 2)
    cut.advance(replayed, 1)
    assert cut.ticks.tick == clock.tick + 1
