import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.data.windows.chunk_windows import Windows, split_episodes
from chunkenv.errors import ArgumentError
from tests.data.making import in_memory


def by_hand(dataset, tick, horizon):
    """A window, row by row."""
    number = int(dataset.episode[tick])
    end = int(dataset.episodes.start[number] + dataset.episodes.length[number])
    chunk = [dataset.actions[min(tick + row, end - 1)] for row in range(horizon)]
    return dataset.observations[tick], np.stack(chunk), [float(tick + row < end) for row in range(horizon)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(1, 10))
def test_every_window_is_that_worked_out_by_hand(lengths, horizon):
    dataset = in_memory(lengths)
    windows = Windows(dataset, horizon)
    batch = windows[np.arange(len(windows))]
    assert len(windows) == sum(lengths)
    assert batch.mask.dtype == np.float32
    for tick in range(len(windows)):
        observation, chunk, mask = by_hand(dataset, tick, horizon)
        assert np.array_equal(batch.observations[tick], observation)
        assert np.array_equal(batch.chunks[tick], chunk)
        assert batch.mask[tick].tolist() == mask


def test_what_is_masked_is_of_no_other_episode():
    dataset = in_memory([3, 4])
    batch = Windows(dataset, 8)[[2]]
    assert batch.mask.tolist() == [[1, 0, 0, 0, 0, 0, 0, 0]]
    assert (batch.chunks[0] == dataset.actions[2]).all()


def test_samples_are_windows_and_every_one_comes():
    dataset = in_memory([3, 2])
    windows = Windows(dataset, 2)
    batch = windows.sample(np.random.default_rng(0), 200)
    ticks = [int(np.flatnonzero((dataset.observations == seen).all(axis=1))[0]) for seen in batch.observations]
    assert set(ticks) == set(range(5))
    again = windows[ticks]
    assert np.array_equal(batch.chunks, again.chunks)
    assert np.array_equal(batch.mask, again.mask)


def test_the_same_generator_draws_the_same_samples():
    windows = Windows(in_memory([9, 4]), 3)
    one, other = (windows.sample(np.random.default_rng(5), 16) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_samples_may_be_written_into():
    dataset = in_memory([3, 2])
    batch = Windows(dataset, 2).sample(np.random.default_rng(0), 4)
    batch.chunks[:] = 7
    batch.observations[:] = 7
    assert (dataset.actions != 7).all()


def test_an_epoch_has_every_window_once_but_for_the_rest():
    dataset = in_memory([5, 3, 4])
    windows = Windows(dataset, 2)
    batches = list(windows.epoch(np.random.default_rng(0), 5))
    assert [len(batch.mask) for batch in batches] == [5, 5]
    seen = {batch.observations[i].tobytes() for batch in batches for i in range(5)}
    assert len(seen) == 10
    assert seen <= {row.tobytes() for row in dataset.observations}
    others = {row.tobytes() for batch in windows.epoch(np.random.default_rng(1), 5) for row in batch.observations}
    assert others != seen


def test_windows_of_some_episodes_are_theirs_only():
    dataset = in_memory([3, 2, 4])
    windows = Windows(dataset, 3, episodes=[2, 0])
    assert len(windows) == 7
    whole = Windows(dataset, 3)[[0, 1, 2, 5, 6, 7, 8]]
    batch = windows[np.arange(7)]
    assert all(np.array_equal(a, b) for a, b in zip(batch, whole, strict=True))
    drawn = windows.sample(np.random.default_rng(0), 100).observations
    assert {row.tobytes() for row in drawn} == {row.tobytes() for row in whole.observations}


@given(st.integers(2, 40), st.floats(0.01, 0.99), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_a_split_is_one(count, share, seed):
    dataset = in_memory([1] * count)
    train, validation = split_episodes(dataset, share, seed)
    assert sorted([*train, *validation]) == list(range(count))
    assert len(validation) == min(max(round(share * count), 1), count - 1)
    again = split_episodes(dataset, share, seed)
    assert np.array_equal(train, again[0])


def test_another_seed_splits_otherwise():
    dataset = in_memory([1] * 40)
    assert not np.array_equal(split_episodes(dataset, 0.5, 0)[0], split_episodes(dataset, 0.5, 1)[0])


@pytest.mark.parametrize(
    ("episodes", "sentence"),
    [
        ([], "are no episodes; give a list of numbers from 0 to 1"),
        ([0.5], "are no episodes"),
        ([[0]], "are no episodes"),
        ([2], "has 2 to 2, but there are 0 to 1"),
        ([-1, 0], "has -1 to 0, but there are 0 to 1"),
    ],
)
def test_episodes_that_are_none_are_refused(episodes, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Windows(in_memory([3, 2]), 2, episodes=episodes)


@pytest.mark.parametrize("indices", [[-1], [5], [0.5], 0, [[1]], "a"])
def test_windows_that_are_none_are_refused(indices):
    with pytest.raises(ArgumentError, match="are no windows; give a list of numbers from 0 to 4"):
        Windows(in_memory([3, 2]), 2)[indices]


def test_mistakes_are_said_at_once():
    dataset = in_memory([3, 2])
    with pytest.raises(ArgumentError, match="prediction_horizon=0"):
        Windows(dataset, 0)
    with pytest.raises(ArgumentError, match="batch=6 is more than the 5 windows"):
        next(Windows(dataset, 2).epoch(np.random.default_rng(0), 6))
    for share in (0.0, 1.0):
        with pytest.raises(ArgumentError, match="leaves one side empty"):
            split_episodes(dataset, share)
    with pytest.raises(ArgumentError, match="1 episode cannot be split"):
        split_episodes(in_memory([3]), 0.5)
