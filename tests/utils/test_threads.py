"""Slices of a batch, side by side."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.kinetix.engine.layout import GROUP
from chunkenv.utils.processes import usable_cores
from chunkenv.utils.threads import side_by_side, slices


@given(n=st.integers(0, 5000), threads=st.integers(1, 64))
def test_slices_are_everything_once_in_whole_groups(n, threads):
    parts = slices(n, threads, GROUP)
    assert [row for part in parts for row in range(*part)] == list(range(n))
    assert 1 <= len(parts) <= threads
    sizes = [end - start for start, end in parts]
    assert max(sizes) - min(sizes) <= (GROUP if n < GROUP * threads else 2 * GROUP - 1)
    if n >= GROUP:
        assert all(start % GROUP == 0 for start, _ in parts)


def test_they_run_at_the_same_time_and_all_are_awaited():
    """Each waits for the other: one after the other they would never end."""
    barrier = threading.Barrier(2, timeout=20)
    done = []

    def work(start, end):
        barrier.wait()
        done.append((start, end))

    side_by_side(work, 16, 2, GROUP)
    assert sorted(done) == [(0, 8), (8, 16)]


@given(n=st.integers(0, 5000), threads=st.integers(1, 5))
def test_every_row_is_worked_on_once(n, threads):
    done = []
    side_by_side(lambda start, end: done.extend(range(start, end)), n, threads, GROUP)
    assert sorted(done) == list(range(n))


def test_who_is_free_takes_the_next_slice():
    """One thread is held up in its first slice until all the others are done."""
    rest_done, done = threading.Event(), []

    def work(start, end):
        if start == 0:
            assert rest_done.wait(20)
        done.append(start)
        if len(done) == 7:
            rest_done.set()

    side_by_side(work, 256, 2, GROUP)
    assert sorted(done) == list(range(0, 256, 32))
    assert done[-1] == 0


@pytest.mark.parametrize("failing", [0, 8])
def test_an_error_arrives_after_all_have_ended(failing):
    done = []

    def work(start, end):
        if start == failing:
            raise OSError("broken")
        done.append(start)

    with pytest.raises(OSError, match="broken"):
        side_by_side(work, 16, 2, GROUP)
    assert done == [8 - failing]


def test_this_machine_has_a_core():
    assert usable_cores() >= 1
