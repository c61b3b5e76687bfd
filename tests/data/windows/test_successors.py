from __future__ import annotations

import numpy as np
import pytest

from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.data.windows.successors import SuccessorReplay, passing_ticks
from chunkenv.errors import ArgumentError

HALF = Horizons(chunk=2, backup=2, delay=1, discount=0.5)


def counting(terminated: bool, ticks: int = 8) -> ReplayBuffer:
    """One episode in which tick t sees t, does t / 10, and is paid t."""
    replay = ReplayBuffer(ticks + 1, 1, 1)
    for tick in range(ticks):
        last = tick == ticks - 1
        replay.add([tick], [tick / 10], tick, [tick + 1], last and terminated, last and not terminated)
    return replay


def by_tick(terminated: bool) -> dict[int, dict[str, np.ndarray]]:
    """A window for each tick that begins one."""
    drawn = SuccessorReplay(counting(terminated)).sample(np.random.default_rng(0), 200, HALF)
    starts = drawn.observations[:, 0].astype(int)
    rows = {tick: np.flatnonzero(starts == tick)[0] for tick in range(8)}
    return {tick: {name: getattr(drawn, name)[row] for name in drawn._fields} for tick, row in rows.items()}


def test_the_second_chunk_begins_where_the_first_has_been_played():
    window = by_tick(terminated=True)[1]
    assert window["chunks"][:, 0] == pytest.approx([0.1, 0.2, 0.3])
    assert window["next_chunks"][:, 0] == pytest.approx([0.3, 0.4, 0.5])
    assert window["next_observations"] == [3]
    assert window["rewards"] == 1
    assert window["passed"] in (1, 2)
    assert (window["ended"], window["counted"]) == (0, 1)


def test_the_state_that_a_task_ended_in_lasts():
    windows = by_tick(terminated=True)
    assert [windows[tick]["ended"] for tick in range(8)] == [0, 0, 0, 0, 0, 0, 1, 1]
    assert all(windows[tick]["counted"] == 1 for tick in range(8))
    last = windows[7]
    assert last["next_observations"] == [8]
    assert last["passed"] in (7, 8)
    assert last["known"].tolist() == [1, 0, 0]
    assert windows[5]["next_known"].tolist() == [1, 0, 0]


def test_windows_that_a_limit_cuts_do_not_count():
    windows = by_tick(terminated=False)
    assert [windows[tick]["counted"] for tick in range(8)] == [1, 1, 1, 1, 0, 0, 0, 0]
    assert all(windows[tick]["ended"] == 0 for tick in range(8))


def test_passed_states_follow_the_discount():
    ticks = passing_ticks(np.random.default_rng(0).random(40_000), Horizons(chunk=3, backup=3, discount=0.5))
    assert np.bincount(ticks) / len(ticks) == pytest.approx(np.array([4, 2, 1]) / 7, abs=0.01)


def test_an_empty_replay_is_refused():
    with pytest.raises(ArgumentError, match="The replay is empty"):
        SuccessorReplay(ReplayBuffer(4, 1, 1)).sample(np.random.default_rng(0), 2, HALF)
