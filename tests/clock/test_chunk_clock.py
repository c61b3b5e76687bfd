"""Cycles against RTC's rule, tables worked by hand, and an independent definition tick by tick."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import UNDERRUN, ChunkClock, Source, plan_cycle
from tests.clock.shared import cold_starts, delay_lists, horizons

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


def test_sources_are_named():
    assert plan_cycle(4, 2, True, range(2, 4), 1).sources() == [Source(age=1, row=2), Source(age=0, row=1)]
