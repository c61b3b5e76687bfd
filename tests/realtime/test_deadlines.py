import time

import pytest

from chunkenv.realtime import Deadlines, ManualClock, MonotonicClock


def begun(work, count, period=0.25):
    """When ticks begin that take `work` seconds, one after the other; how many were late, and deadlines missed."""
    clock = ManualClock()
    clock.advance(100.0)
    deadlines, times = Deadlines(clock, period), []
    for seconds in (work * count)[:count]:
        deadlines.wait()
        times.append(clock.now() - 100.0)
        clock.advance(seconds)
    return times, deadlines.late, deadlines.missed


def test_deadlines_do_not_move():
    assert begun([0.0], 5) == ([0.0, 0.25, 0.5, 0.75, 1.0], 0, 0)
    assert begun([0.125], 4) == ([0.0, 0.25, 0.5, 0.75], 0, 0)


def test_a_late_tick_runs_at_once_and_the_next_is_on_time():
    assert begun([0.375, 0.0625, 0.0, 0.0], 4) == ([0.0, 0.375, 0.5, 0.75], 1, 0)


def test_missed_deadlines_are_not_made_up():
    assert begun([1.125, 0.0, 0.0], 3) == ([0.0, 1.125, 1.25], 1, 3)


def test_a_tick_that_takes_whole_periods_is_followed_at_once_by_one():
    assert begun([0.75, 0.0, 0.0], 3) == ([0.0, 0.75, 1.0], 1, 2)


def test_ticks_that_are_always_too_long_are_all_late():
    assert begun([0.375], 5) == ([0.0, 0.375, 0.75, 1.125, 1.5], 4, 2)


def test_a_little_late_is_on_time():
    times, late, _ = begun([0.26, 0.0], 2)
    assert times == pytest.approx([0.0, 0.26])
    assert late == 0


def test_a_start_counts_anew():
    clock = ManualClock()
    deadlines = Deadlines(clock, 0.25)
    deadlines.wait()
    clock.advance(1.0)
    deadlines.wait()
    assert (deadlines.late, deadlines.missed) == (1, 3)
    deadlines.begin()
    deadlines.wait()
    assert (deadlines.late, deadlines.missed, clock.now()) == (0, 0, 1.0)


def test_the_monotonic_clock_waits_and_never_for_what_is_over():
    clock = MonotonicClock()
    start = time.monotonic()
    clock.wait_until(start + 0.02)
    assert time.monotonic() >= start + 0.02
    clock.wait_until(start - 5.0)
    assert clock.now() == pytest.approx(time.monotonic(), abs=1.0)
