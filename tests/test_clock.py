"""The arithmetic of chunks against RTC's rule, tables worked by hand, and an independent definition tick by tick."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import (
    UNDERRUN,
    ChunkClock,
    Source,
    TickClock,
    bootstrap_discount,
    discounted_sum,
    discounted_sums,
    plan_cycle,
    ticks,
)
from chunkenv.errors import ArgumentError

RTC_PAIRS = [(d, s) for d in range(5) for s in range(max(1, d), 8 - d + 1)]


def timeline(clock, delays):
    """(chunk number, row) or None for every tick of consecutive cycles, as `chunk:row` strings."""
    clock.reset()
    line = []
    for number, delay in enumerate(delays):
        cycle = clock.cycle(delay)
        line += ["--" if s is UNDERRUN else f"{number - s.age}:{s.row}" for s in cycle.sources()]
        clock.advance(cycle)
    return line


def test_there_are_24_pairs():
    assert len(RTC_PAIRS) == 24


@pytest.mark.parametrize(("d", "s"), RTC_PAIRS)
def test_equals_rtc_rule_from_the_second_cycle_on(d, s):
    """RTC: execute prev[:d] + new[d:s]; then prev = new shifted by s."""
    clock = ChunkClock(8, s)
    clock.advance(clock.cycle(d))
    previous = [f"0:{row}" for row in range(s, 8)]
    for number in range(1, 6):
        new = [f"{number}:{row}" for row in range(8)]
        executed = previous[:d] + new[d:s]
        cycle = clock.cycle(d)
        assert [f"{number - source.age}:{source.row}" for source in cycle.sources()] == executed
        assert cycle.underruns == 0
        previous = new[s:]
        clock.advance(cycle)


# Tables to be read on paper. `chunk:row` is what runs in a tick, `--` an underrun; one line per cycle.
TABLES = {
    "d=2, s=4, H=8": (
        dict(prediction_horizon=8, execution_horizon=4),
        [2, 2, 2],
        """0:0 0:1 0:2 0:3
           0:4 0:5 1:2 1:3
           1:4 1:5 2:2 2:3""",
    ),
    "no delay": (
        dict(prediction_horizon=4, execution_horizon=2),
        [0, 0],
        """0:0 0:1
           1:0 1:1""",
    ),
    "s=H leaves no row for the prefix": (
        dict(prediction_horizon=4, execution_horizon=4),
        [1, 1, 1],
        """0:0 0:1 0:2 0:3
           --  1:1 1:2 1:3
           --  2:1 2:2 2:3""",
    ),
    "random delays": (
        dict(prediction_horizon=6, execution_horizon=2),
        [9, 1, 3, 0, 2],  # the first is free, whatever it takes
        """0:0 0:1
           0:2 1:1
           1:2 1:3 1:4
           3:0 3:1
           3:2 3:3""",
    ),
    "d > s: the new chunk acts in the next cycle only": (
        dict(prediction_horizon=8, execution_horizon=2),
        [3, 3, 3, 0],
        """0:0 0:1
           0:2 0:3 0:4
           1:3 1:4 1:5
           3:0 3:1""",
    ),
    "d > s, and the rows run out": (
        dict(prediction_horizon=4, execution_horizon=1),
        [0, 5, 2],
        """0:0
           0:1 0:2 0:3 --  --
           --  --""",
    ),
    "d > H: the chunk is stale as a whole": (
        dict(prediction_horizon=3, execution_horizon=2),
        [0, 4, 1, 1],
        """0:0 0:1
           0:2 --  --  --
           --  2:1
           2:2 3:1""",
    ),
    "d = H: the last row's tick is over": (
        dict(prediction_horizon=3, execution_horizon=3),
        [0, 3, 0],
        """0:0 0:1 0:2
           --  --  --
           2:0 2:1 2:2""",
    ),
    "synchronous": (
        dict(prediction_horizon=4, execution_horizon=3, overlap=False),
        [2, 2, 0, 5],
        """0:0 0:1 0:2
           --  --  1:0 1:1 1:2
           2:0 2:1 2:2
           --  --  --  --  --  3:0 3:1 3:2""",
    ),
    "charged cold start": (
        dict(prediction_horizon=4, execution_horizon=3, cold_start="charged"),
        [2, 1, 1],
        """--  --  0:2
           0:3 1:1 1:2
           1:3 2:1 2:2""",
    ),
    "charged cold start, synchronous": (
        dict(prediction_horizon=4, execution_horizon=2, cold_start="charged", overlap=False),
        [1, 1],
        """--  0:0 0:1
           --  1:0 1:1""",
    ),
    "charged cold start, d > s": (
        dict(prediction_horizon=8, execution_horizon=2, cold_start="charged"),
        [3, 1],
        """--  --  --
           0:3 1:1""",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_hand_worked_tables(name):
    arguments, delays, table = TABLES[name]
    assert timeline(ChunkClock(**arguments), delays) == table.split()


# Per cycle: request tick, rows left, prefix, underruns, discarded, staleness tick by tick. H = 6, s = 2.
LEDGER = [
    # delay, tick, left,         prefix, underruns, discarded, staleness
    (9, 0, [], [], 0, 0, [0, 1]),
    (1, 2, [2, 3, 4, 5], [2], 0, 3 + 1, [2, 1]),
    (3, 4, [2, 3, 4, 5], [2, 3, 4], 0, 1 + 3, [2, 3, 4]),
    (0, 7, [3, 4, 5], [], 0, 3, [0, 1]),
    (7, 9, [2, 3, 4, 5], [2, 3, 4, 5], 3, 6, [2, 3, 4, 5, -1, -1, -1]),
    (1, 16, [], [], 1, 1, [-1, 1]),
]


def test_ledger_by_hand():
    clock = ChunkClock(6, 2)
    for delay, tick, left, prefix, underruns, discarded, staleness in LEDGER:
        assert (clock.tick, list(clock.left), list(clock.prefix(delay))) == (tick, left, prefix)
        cycle = clock.cycle(delay)
        assert cycle.underruns == underruns
        assert cycle.discarded(cycle.ticks, ended=False) == discarded
        assert cycle.staleness() == staleness
        clock.advance(cycle)


def test_staleness_of_a_synchronous_robot_counts_the_wait():
    assert plan_cycle(4, 2, False, range(0), 3).staleness() == [-1, -1, -1, 3, 4]


def test_an_episode_that_ends_before_the_chunk_arrives_discards_nothing():
    cycle = plan_cycle(8, 4, True, range(4, 8), 3)
    assert [cycle.discarded(played, ended=True) for played in range(5)] == [0, 0, 0, 4, 4]
    assert [list(cycle.left_after(played)) for played in range(5)] == [
        [4, 5, 6, 7],
        [5, 6, 7],
        [6, 7],
        [3, 4, 5, 6, 7],
        [4, 5, 6, 7],
    ]


def test_a_synchronous_robot_throws_its_other_rows_away_at_the_next_request():
    cycle = plan_cycle(8, 3, False, range(0), 2)
    assert cycle.discarded(5, ended=False) == 5
    assert cycle.discarded(5, ended=True) == 0


horizons = st.integers(1, 12).flatmap(lambda h: st.tuples(st.just(h), st.integers(1, h)))
delay_lists = st.lists(st.integers(0, 15), min_size=1, max_size=12)
cold_starts = st.sampled_from(["free", "charged"])


def defined(horizon, executed, delays, cold_start):
    """The definition, tick by tick and without cycles: the newest chunk that has arrived rules; its row is its age."""
    requests, tick = [], 0
    for number, delay in enumerate(delays):
        real = 0 if number == 0 and cold_start == "free" else delay
        requests.append((tick, tick + real))
        tick += max(executed, real)
    line = []
    for now in range(tick):
        arrived = [number for number, (_, arrival) in enumerate(requests) if arrival <= now]
        row = now - requests[arrived[-1]][0] if arrived else horizon
        line.append(f"{arrived[-1]}:{row}" if row < horizon else "--")
    return line


def check_definition(horizon, delays, cold_start):
    clock = ChunkClock(*horizon, cold_start=cold_start)
    assert timeline(clock, delays) == defined(*horizon, delays, cold_start)


def check_invariants(horizon, delays, cold_start, overlap):
    """Every promise of the design, over one episode."""
    clock = ChunkClock(*horizon, overlap=overlap, cold_start=cold_start)
    executed, discarded, chunks, previous, start, seen = 0, 0, 0, 0, 0, set()
    for number, delay in enumerate(delays):
        real = 0 if clock.next_is_free else delay
        left, prefix = list(clock.left), list(clock.prefix(delay))
        cycle = clock.cycle(delay)
        sources = cycle.sources()
        assert (cycle.delay, len(sources)) == (real, cycle.ticks)
        assert cycle.ticks == (max(horizon[1], real) if overlap else real + horizon[1])
        assert [source.row for source in sources if source.age == 1] == prefix == left[:real]
        for tick, source in enumerate(sources):
            if source is UNDERRUN:
                continue
            assert source.age in (0, 1)
            assert (number - source.age, source.row) not in seen, "a row ran twice"
            seen.add((number - source.age, source.row))
            if source.age == 0:
                assert tick >= real, "a row ran before its inference had ended"
            if overlap:
                request = start if source.age == 0 else previous
                assert start + tick == request + source.row, "a row ran at another tick than its own"
        rows = sum(source is not UNDERRUN for source in sources)
        assert cycle.underruns + rows == cycle.ticks
        executed, chunks, discarded = executed + rows, chunks + 1, discarded + cycle.discarded(cycle.ticks, ended=False)
        previous, start = start, start + cycle.ticks
        clock.advance(cycle)
        assert clock.tick == start
        assert executed + discarded + len(clock.left) == chunks * horizon[0], "a row was lost or counted twice"
    clock.reset()
    assert (clock.tick, list(clock.left), clock.next_is_free) == (0, [], cold_start == "free")
    assert clock.cycle(3).sources() == ChunkClock(*horizon, overlap=overlap, cold_start=cold_start).cycle(3).sources()


def check_cut(horizon, delays, played, overlap):
    """A cycle cut at `played` agrees with the whole one up to there."""
    clock = ChunkClock(*horizon, overlap=overlap)
    for delay in delays:
        clock.advance(clock.cycle(delay))
    cycle = clock.cycle(delays[0])
    played = min(played, cycle.ticks)
    assert cycle.sources(played) == cycle.sources()[:played]
    assert cycle.staleness(played) == cycle.staleness()[:played]
    assert cycle.underruns_within(played) == sum(source is UNDERRUN for source in cycle.sources(played))
    if overlap:
        pending = list(clock.left)
        arrived = [row for row in range(horizon[0]) if row >= played]
        assert list(cycle.left_after(played)) == (arrived if played >= cycle.delay else pending[played:])


@given(horizons, delay_lists, cold_starts)
def test_matches_the_definition(horizon, delays, cold_start):
    check_definition(horizon, delays, cold_start)


@given(horizons, delay_lists, cold_starts, st.booleans())
def test_invariants(horizon, delays, cold_start, overlap):
    check_invariants(horizon, delays, cold_start, overlap)


@given(horizons, delay_lists, st.integers(0, 20), st.booleans())
def test_cut_cycles(horizon, delays, played, overlap):
    check_cut(horizon, delays, played, overlap)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(horizons, delay_lists, cold_starts, st.booleans(), st.integers(0, 20))
def test_twenty_thousand_cases(horizon, delays, cold_start, overlap, played):
    check_definition(horizon, delays, cold_start)
    check_invariants(horizon, delays, cold_start, overlap)
    check_cut(horizon, delays, played, overlap)


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


@pytest.mark.parametrize(
    ("seconds", "control_dt", "expected"),
    [
        (0.1, 0.05, 2),
        (0.3, 0.1, 3),
        (0.7, 0.1, 7),
        (0.0, 0.05, 0),
        (1e-12, 0.05, 0),
        (0.0501, 0.05, 2),
        (0.0499, 0.05, 1),
        (3 / 30, 1 / 30, 3),
        (0.10000000149011612, 0.05, 2),  # float32(0.1)
        (1e6 * 0.02, 0.02, 1_000_000),
    ],
)
def test_seconds_to_ticks(seconds, control_dt, expected):
    assert ticks(seconds, control_dt) == expected


@given(st.integers(0, 10**6), st.floats(1e-4, 10.0))
def test_whole_multiples_stay_whole(count, control_dt):
    assert ticks(count * control_dt, control_dt) == count


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0, 1))
def test_discounted_sum_is_the_definition(rewards, discount):
    expected = math.fsum(discount**i * reward for i, reward in enumerate(rewards))
    assert discounted_sum(rewards, discount) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_one_reward_is_itself_to_the_bit():
    assert math.copysign(1.0, discounted_sum([-0.0], 0.5)) == -1.0
    assert discounted_sum([0.1], 0.3) == 0.1


@given(
    st.lists(st.lists(st.just(-0.0) | st.floats(), max_size=6), min_size=1, max_size=5),
    st.floats(0.0, 1.0),
)
def test_discounted_sums_are_those_of_each_to_the_bit(rows, discount):
    padded = np.zeros((len(rows), max(map(len, rows))))
    for line, row in zip(padded, rows, strict=True):
        line[: len(row)] = row
    with np.errstate(all="ignore"):
        sums = discounted_sums(padded, np.array([len(row) for row in rows]), discount)
    expected = [discounted_sum(row, discount) for row in rows]
    assert [math.copysign(1.0, one) for one in sums if one == one] == [
        math.copysign(1.0, one) for one in expected if one == one
    ]
    assert np.array_equal(sums, expected, equal_nan=True)


def test_only_the_end_of_the_task_stops_the_bootstrap():
    assert bootstrap_discount(0.9, 3, terminated=True) == 0.0
    assert bootstrap_discount(0.9, 3, terminated=False) == 0.9**3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(prediction_horizon=0), "prediction_horizon=0 is too small"),
        (dict(prediction_horizon=-3), "prediction_horizon=-3 is too small"),
        (dict(prediction_horizon=2.5), "prediction_horizon=2.5 is not a whole number"),
        (dict(prediction_horizon="8"), "prediction_horizon='8' is not a whole number"),
        (dict(prediction_horizon=True), "prediction_horizon=True is not a whole number"),
        (dict(prediction_horizon=None), "prediction_horizon=None is not a whole number"),
        (dict(prediction_horizon=8, execution_horizon=9), "execution_horizon=9 is more than prediction_horizon=8"),
        (dict(prediction_horizon=8, execution_horizon=0), "execution_horizon=0 is too small"),
        (dict(prediction_horizon=8, execution_horizon=1.0), "execution_horizon=1.0 is not a whole number"),
        (dict(prediction_horizon=8, cold_start="fre"), "did you mean 'free'"),
        (dict(prediction_horizon=8, cold_start=None), "cold_start=None is unknown"),
        (dict(prediction_horizon=8, overlap="yes"), "overlap='yes' is not True or False"),
        (dict(prediction_horizon=8, overlap=1), "overlap=1 is not True or False"),
    ],
)
@pytest.mark.parametrize("kind", [ChunkClock, TickClock])
def test_bad_arguments(kind, arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        kind(**arguments)


def test_sources_are_named():
    assert plan_cycle(4, 2, True, range(2, 4), 1).sources() == [Source(age=1, row=2), Source(age=0, row=1)]
