"""Windows that tell what every number of their ticks leads to, compared with windows of each length alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.data import EveryLength, Horizons, ReplayBuffer
from chunkenv.data.windows.every_length import returns_to_go
from chunkenv.errors import ArgumentError


def replay(lengths, terminated, seed=0):
    rng, ticks = np.random.default_rng(seed), sum(lengths)
    ends = np.zeros(ticks, bool)
    ends[np.cumsum(lengths) - 1] = terminated
    columns = rng.normal(size=(ticks, 2)), rng.uniform(-1, 1, (ticks, 1)), rng.normal(size=ticks)
    final = rng.normal(size=(len(lengths), 2))
    return ReplayBuffer.from_episodes(*columns, ends, np.array(lengths), final)


EPISODES = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(EPISODES, st.integers(0, 2), st.integers(2, 4))
def test_each_column_is_the_window_of_that_backup(episodes, delay, chunk):
    lengths, terminated = zip(*[(chunk + delay, True), *episodes], strict=True)
    data, horizons = replay(lengths, terminated), Horizons(chunk, chunk, delay, discount=0.9)
    starts = data.draw_starts(np.random.default_rng(1), 40)
    batch = EveryLength(data, horizons).windows(starts, horizons)
    for length in range(max(delay, 1), chunk + 1):
        alone = data.windows(starts, Horizons(max(delay, 1), length, delay, discount=0.9))
        counted = alone.counted > 0
        assert np.array_equal(batch.counted[:, length - 1], alone.counted)
        for found, wanted in (
            (batch.rewards, alone.rewards),
            (batch.discounts, alone.discounts),
            (batch.later, alone.next_observations),
        ):
            assert np.allclose(found[counted, length - 1], wanted[counted], atol=1e-6)
    assert np.array_equal(batch.actions, data.windows(starts, horizons).actions)


def test_returns_by_hand():
    """Two ticks to the end; and two ticks to a limit, behind which a reward of .5 goes on for ever."""
    rewards, ends = np.array([1.0, 2.0, 4.0, 0.5]), np.array([False, True, False, False])
    data = ReplayBuffer.from_episodes(
        np.zeros((4, 1)), np.zeros((4, 1)), rewards, ends, np.array([2, 2]), np.zeros((2, 1))
    )
    assert returns_to_go(data, 0.5).tolist() == [2.0, 2.0, 0.0, 4.5, 1.0, 0.0]
    every = EveryLength(data, Horizons(chunk=2, backup=2, discount=0.5))
    assert every.bounds == (1.0, 4.5)
    assert every.sample(np.random.default_rng(0), 30, Horizons(chunk=2, backup=2, discount=0.5)).returns.max() == 4.5


def test_a_failure_is_not_the_better_the_nearer_its_limit():
    data = replay([6], [False])
    data.rewards[:] = -1
    assert np.allclose(returns_to_go(data, 0.9)[:6], -10)


def test_a_chunk_longer_than_every_episode_is_refused():
    data = replay([3, 5, 4], [True, True, False])
    assert len(EveryLength(data, Horizons(chunk=4, backup=4, delay=1))) == 12
    with pytest.raises(ArgumentError, match=r"chunk=5 and delay=1 need 6 ticks, but the longest .* has 5"):
        EveryLength(data, Horizons(chunk=5, backup=5, delay=1))
