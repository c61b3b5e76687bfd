from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.clock import bootstrap_discount, discounted_sum
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer, draw_batch
from chunkenv.errors import ArgumentError

EPISODES = st.lists(st.tuples(st.integers(1, 7), st.booleans()), min_size=1, max_size=12)
"""Lengths, and whether each was terminated."""

HORIZONS = st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(0, 3)).map(
    lambda lengths: Horizons(lengths[0], lengths[0] + lengths[1], min(lengths[2], lengths[0]), discount=0.5)
)


def number(episode: int, tick: int) -> float:
    return 100.0 * episode + tick


def play_episodes(episodes: list[tuple[int, bool]], capacity: int, open_ticks: int = 0) -> ReplayBuffer:
    """Every observation, action and reward says whose tick it is; the last episode may still be under way."""
    replay = ReplayBuffer(capacity, 1, 1)
    for episode, (length, terminated) in enumerate([*episodes, (open_ticks + 1, False)][: len(episodes) + 1]):
        ends = episode < len(episodes)
        for tick in range(length if ends else open_ticks):
            here, last = number(episode, tick), ends and tick == length - 1
            replay.add([here], [here], here, [here + 1], last and terminated, last and not terminated)
    return replay


@given(EPISODES, HORIZONS, st.integers(2, 60), st.integers(0, 3))
def test_windows_stay_within_their_episode_and_say_what_happened(episodes, horizons, capacity, open_ticks):
    replay = play_episodes(episodes, capacity, open_ticks)
    if not len(replay):
        return
    lengths = [*(length for length, _ in episodes), open_ticks]
    ended = [*(terminated for _, terminated in episodes), False]
    batch = replay.sample(np.random.default_rng(0), 32, horizons)
    for row in range(32):
        episode, tick = divmod(int(batch.observations[row, 0]), 100)
        left = lengths[episode] - tick
        known = min(left, horizons.rows)
        over = ended[episode] and left <= horizons.rows
        ticks = min(left, horizons.backup) if over else max(min(horizons.backup, known - horizons.delay), 0)
        terminated = ended[episode] and left <= horizons.backup
        assert batch.known[row].tolist() == [1.0] * known + [0.0] * (horizons.rows - known)
        assert batch.actions[row, :known, 0].tolist() == [number(episode, tick + i) for i in range(known)]
        assert batch.next_observations[row, 0] == number(episode, tick + ticks)
        rewards = [number(episode, tick + i) for i in range(ticks)]
        assert batch.rewards[row] == np.float32(discounted_sum(rewards, 0.5))
        assert batch.discounts[row] == np.float32(bootstrap_discount(0.5, ticks, terminated))
        assert batch.counted[row] == float(over or ticks == horizons.backup)
        decided = [number(episode, tick + ticks + i) for i in range(horizons.delay)]
        assert batch.prefix[row, batch.prefix_known[row] > 0, 0].tolist() == [
            action for i, action in enumerate(decided) if ticks + i < known
        ]


@given(EPISODES, st.integers(2, 30))
def test_a_ring_counts_the_ticks_that_windows_can_begin_with(episodes, capacity):
    replay = play_episodes(episodes, capacity)
    assert len(replay) == int((replay.marks != 3).sum())
    assert len(replay) <= capacity


def test_windows_cut_by_a_termination_count_and_bootstrap_nothing():
    batch = play_episodes([(3, True)], 8).windows(np.array([1]), Horizons(chunk=4, backup=4, discount=0.5))
    assert batch.counted[0] == 1
    assert batch.discounts[0] == 0
    assert batch.rewards[0] == 1 + 0.5 * 2


def test_a_window_that_ends_with_a_truncation_bootstraps_from_the_last_observation():
    batch = play_episodes([(3, False)], 8).windows(np.array([1]), Horizons(chunk=2, backup=2, discount=0.5))
    assert batch.counted[0] == 1
    assert batch.discounts[0] == 0.25
    assert batch.next_observations[0, 0] == 3


def test_whole_episodes_make_the_replay_that_playing_them_makes():
    episodes = [(3, True), (2, False), (1, True)]
    one_by_one = play_episodes(episodes, 9)
    column = np.array([[number(e, t)] for e, (n, _) in enumerate(episodes) for t in range(n)], np.float32)
    terminated = np.array([0, 0, 1, 0, 0, 1], bool)
    final = np.array([[3.0], [102.0], [201.0]], np.float32)
    at_once = ReplayBuffer.from_episodes(column, column, column[:, 0], terminated, np.array([3, 2, 1]), final)
    for name in ("observations", "actions", "rewards", "marks"):
        assert np.array_equal(getattr(at_once, name), getattr(one_by_one, name))


@given(EPISODES, st.integers(2, 30), st.integers(0, 2))
def test_a_restored_replay_goes_on_as_the_other(episodes, capacity, open_ticks):
    replay = play_episodes(episodes, capacity, open_ticks)
    other = ReplayBuffer(capacity, 1, 1)
    other.restore({name: array.copy() for name, array in replay.arrays().items()})
    following = number(len(episodes), open_ticks)
    for each in (replay, other):
        each.add([following], [0.0], 0.0, [0.0], True, False)
    assert all(np.array_equal(a, b) for a, b in zip(replay.arrays().values(), other.arrays().values(), strict=True))


def test_batches_of_two_replays_are_even_or_in_proportion():
    first, second = play_episodes([(6, True)] * 12, 200), ReplayBuffer(100, 1, 1)
    second.add([-1.0], [-1.0], 0.0, [-1.0], True, False)
    rng, horizons = np.random.default_rng(0), Horizons(1, 1)
    even = draw_batch([first, second], rng, 64, horizons, symmetric=True)
    proportional = draw_batch([first, second], rng, 640, horizons, symmetric=False)
    assert (even.actions < 0).sum() == 32
    assert (proportional.actions < 0).sum() < 40
    assert len(proportional.actions) == 640


def test_what_cannot_be_learned_from_is_refused():
    replay = ReplayBuffer(8, 1, 1)
    with pytest.raises(ArgumentError, match="empty"):
        replay.sample(np.random.default_rng(0), 1, Horizons())
    with pytest.raises(ArgumentError, match="NaN"):
        replay.add([0.0], [np.nan], 0.0, [1.0], False, False)
    replay.add([0.0], [0.0], 0.0, [1.0], False, False)
    with pytest.raises(ArgumentError, match="does not follow"):
        replay.add([5.0], [0.0], 0.0, [1.0], False, False)
    assert len(replay) == 1
    with pytest.raises(ArgumentError, match=r"have shapes \(\(2,\), \(1,\), \(1,\)\); give \(\(1,\), \(1,\), \(1,\)\)"):
        replay.add([0.0, 1.0], [0.0], 0.0, [1.0], False, False)
    with pytest.raises(ArgumentError, match="have shapes"):  # not spread over all sizes
        ReplayBuffer(8, 3, 1).add([0.0], [0.0], 0.0, [1.0], False, False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"lengths": [3, 0, 3]},
            r"lengths=\[3, 0, 3\] add up to 6, but there are 6 ticks; give all episodes, each of at",
        ),
        ({"lengths": [3, 2]}, "add up to 5, but there are 6 ticks"),
        ({"lengths": []}, "add up to 0, but there are 6 ticks"),
        ({"observations": np.zeros((1, 1))}, "observations has 1 rows, but lengths say 6"),
        ({"actions": np.zeros((5, 1))}, "actions has 5 rows, but lengths say 6"),
        ({"terminated": np.zeros(7, bool)}, "terminated has 7 rows, but lengths say 6"),
        ({"final_observations": np.zeros((1, 1))}, "final_observations has 1 rows, but lengths say 3"),
        ({"final_observations": np.full((3, 1), np.nan)}, "final_observations hold NaN or infinity"),
        ({"rewards": np.full(6, np.inf)}, "rewards hold NaN or infinity"),
    ],
)
def test_episodes_whose_rows_do_not_fit_are_refused(change, sentence):
    sound = {"observations": np.zeros((6, 1)), "actions": np.zeros((6, 1)), "rewards": np.zeros(6)}
    sound |= {"terminated": np.zeros(6, bool), "lengths": [3, 2, 1], "final_observations": np.zeros((3, 1))}
    with pytest.raises(ArgumentError, match=sentence):
        ReplayBuffer.from_episodes(**(sound | change))
