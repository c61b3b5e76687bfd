"""Windows whose observation is of two ticks."""

import numpy as np
import pytest

from chunkenv.data import OffsetWindows, Windows
from chunkenv.errors import ArgumentError
from tests.data.making import in_memory

LENGTHS = [6, 2, 9]


def robot_of(dataset):
    return np.arange(dataset.observations.shape[1]) % 2 == 0


def tick_of(dataset, seen, part):
    """The tick whose observation has these numbers."""
    return int(np.flatnonzero((dataset.observations[:, part] == seen[part]).all(axis=1))[0])


def test_the_robot_and_the_chunk_are_of_the_later_tick():
    dataset = in_memory(LENGTHS)
    robot = robot_of(dataset)
    batch = OffsetWindows(dataset, 4, 3, robot).sample(np.random.default_rng(0), 600)
    pairs = [(tick_of(dataset, seen, ~robot), tick_of(dataset, seen, robot)) for seen in batch.observations]
    expected = Windows(dataset, 4)[[later for _, later in pairs]]
    np.testing.assert_array_equal(batch.chunks, expected.chunks)
    np.testing.assert_array_equal(batch.mask, expected.mask)
    assert all(dataset.episode[now] == dataset.episode[later] for now, later in pairs)
    ends = np.cumsum(LENGTHS) - 1
    for now in range(sum(LENGTHS)):
        last = int(ends[dataset.episode[now]])
        assert {later for first, later in pairs if first == now} == set(range(now, min(now + 3, last) + 1))


def test_every_offset_is_as_likely():
    dataset = in_memory([400])
    robot = robot_of(dataset)
    batch = OffsetWindows(dataset, 1, 4, robot).sample(np.random.default_rng(1), 2000)
    pairs = np.array([(tick_of(dataset, seen, ~robot), tick_of(dataset, seen, robot)) for seen in batch.observations])
    inside = pairs[pairs[:, 0] < 390]
    np.testing.assert_allclose(np.bincount(inside[:, 1] - inside[:, 0]) / len(inside), np.full(5, 0.2), atol=0.04)


def test_the_same_generator_draws_the_same_samples():
    dataset = in_memory(LENGTHS)
    windows = OffsetWindows(dataset, 3, 2, robot_of(dataset))
    one, other = (windows.sample(np.random.default_rng(5), 16) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert len(windows) == sum(LENGTHS)


def test_what_does_not_fit_is_refused():
    dataset = in_memory(LENGTHS)
    with pytest.raises(ArgumentError, match=r"robot is bool\[99\], but observations have \d+ numbers; give a bool"):
        OffsetWindows(dataset, 3, 2, np.zeros(99, bool))
    with pytest.raises(ArgumentError, match="robot is int64"):
        OffsetWindows(dataset, 3, 2, np.zeros(dataset.observations.shape[1], np.int64))
    with pytest.raises(ArgumentError, match="future_offsets=0 is too small"):
        OffsetWindows(dataset, 3, 0, robot_of(dataset))
