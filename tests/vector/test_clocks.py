"""N clocks at once are N clocks one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.clock import ChunkClock, bootstrap_discount, plan_cycle
from chunkenv.vector import clocks as clocks_module
from chunkenv.vector.clocks import LAST, Clocks, find_groups, outcome, places

numbers = st.integers(0, 6)


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=20))
def test_groups_of_equal_rows(rows):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    found, which = find_groups(*columns)
    assert [found[index] for index in which] == rows
    assert len(set(found)) == len(found)


@given(
    st.integers(1, 6).flatmap(lambda h: st.tuples(st.just(h), st.integers(1, h))),
    st.booleans(),
    st.sampled_from(["free", "charged"]),
    st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 5)), min_size=4, max_size=4)),
)
def test_each_in_its_own_phase(horizons, overlap, cold_start, decisions):
    """Delays, ends inside cycles and resets of some: every clock agrees with one that is alone."""
    alone = [ChunkClock(*horizons, overlap, cold_start) for _ in range(4)]
    clocks = Clocks(ChunkClock(*horizons, overlap, cold_start), 4)
    for decision in decisions:
        delays, most, fate = (np.array(column) for column in zip(*decision, strict=True))
        plans, which = cycles = clocks.cycles(delays)
        expected = [one.cycle(int(delay)) for one, delay in zip(alone, delays, strict=True)]
        assert [plans[index] for index in which] == expected
        free = clocks.next_is_free
        assert free.tolist() == [one.next_is_free for one in alone]
        assert clocks.prefix_lengths(delays).tolist() == [len(cycle.prefix) for cycle in expected]
        rows = clocks.cycles(delays).row_indices()
        assert [row[row >= 0].tolist() for row in rows] == [_rows_of(cycle) for cycle in expected]
        played = np.minimum([cycle.ticks for cycle in expected], most)
        terminated, ended = fate == 0, fate <= 1
        result = outcome(cycles, played, terminated, ended, 0.9)
        for index, cycle in enumerate(expected):
            count = int(played[index])
            assert result.discount[index] == bootstrap_discount(0.9, count, bool(terminated[index]))
            assert result.delay[index] == cycle.delay
            assert result.underruns[index] == cycle.underruns_within(count)
            assert result.discarded[index] == cycle.discarded(count, bool(ended[index]))
            assert result.arrived[index] == cycle.arrived_by(count)
            alone[index].advance(cycle, count)
        (met,) = clocks.advance(cycles, result, played, np.ones(4, bool))
        assert met.members.tolist() == (~free).tolist()
        assert met.delays is result.delay
        clocks.reset(fate == 0)
        for index in np.flatnonzero(fate == 0):
            alone[index].reset()
        assert clocks.tick.tolist() == [one.tick for one in alone]
        assert [range(*left) for left in clocks.left.tolist()] == [one.left for one in alone]


def _rows_of(cycle):
    return [source.row for source in cycle.sources() if source.row >= 0]


@given(st.lists(st.tuples(numbers, st.integers(1, 6)), min_size=5, max_size=5), st.booleans())
def test_horizons_that_were_chosen(wanted, overlap):
    clock, clocks = ChunkClock(6, (1, 6), overlap), Clocks(ChunkClock(6, (1, 6), overlap), 5)
    clocks._cold[:] = clock.cold = False
    delays, horizons = np.transpose(wanted)
    plans, which = clocks.cycles(delays, horizons)
    assert [plans[index] for index in which] == [clock.cycle(delay, horizon) for delay, horizon in wanted]


def play_on(clocks, cycles, played, members):
    """One decision of some environments."""
    result = clocks.outcome(cycles, played, np.zeros_like(members), np.zeros_like(members), 1.0)
    return clocks.advance(cycles, result, played, members)


def test_only_some_go_on():
    clocks = Clocks(ChunkClock(8, 4), 2)
    play_on(clocks, clocks.cycles(np.array([0, 0])), np.array([4, 4]), np.array([True, False]))
    assert clocks.tick.tolist() == [4, 0]
    assert clocks.left.tolist() == [[4, 8], [0, 0]]
    assert clocks.next_is_free.tolist() == [False, True]


def test_equal_ones_are_planned_once(monkeypatch):
    planned = []
    monkeypatch.setattr(clocks_module, "plan_cycle", lambda *given: planned.append(given) or plan_cycle(*given))
    clocks = Clocks(ChunkClock(8, 4), 500)
    cycles = clocks.cycles(np.full(500, 2))
    play_on(clocks, cycles, np.full(500, 4), np.ones(500, bool))
    clocks.cycles(np.full(500, 2))
    assert len(planned) == 2


@pytest.mark.parametrize(
    ("underrun", "rows", "stopped"),
    [
        ("hold", [4 + 2, 4 + 3, 4 + 3, 3], False),
        ("zero", [4 + 2, 4 + 3, LAST, 3], False),
        ("stop", [4 + 2, 4 + 3], True),
    ],
)
def test_where_the_actions_stand(underrun, rows, stopped):
    """H = s = 4, two rows left, delay 3: two of the prefix, an underrun, then the own chunk's last row."""
    clocks = Clocks(ChunkClock(4, 4), 1)
    clocks.left[:], clocks._cold[:] = (2, 4), False
    found = places(clocks.cycles(np.array([3])), 4, underrun)
    assert found.rows[0, : found.ticks[0]].tolist() == rows
    assert found.stopped.tolist() == [stopped]
