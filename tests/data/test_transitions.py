"""Ticks with what came after them."""

import numpy as np

from chunkenv.data.transitions import Transitions
from tests.data.making import in_memory

LENGTHS = [5, 1, 3]


def test_every_tick_comes_with_the_next_observation_of_its_own_episode():
    dataset = in_memory(LENGTHS)
    ticks = Transitions(dataset)
    assert len(ticks) == sum(LENGTHS)
    batch, seen = ticks.sample(np.random.default_rng(0), 300), set()
    for observation, action, after in zip(*batch, strict=True):
        tick = int(np.flatnonzero((dataset.observations == observation).all(axis=1))[0])
        number = int(dataset.episode[tick])
        last = tick == sum(LENGTHS[: number + 1]) - 1
        expected = dataset.episodes.final_observation[number] if last else dataset.observations[tick + 1]
        np.testing.assert_array_equal(after, expected)
        np.testing.assert_array_equal(action, dataset.actions[tick])
        seen.add(tick)
    assert seen == set(range(sum(LENGTHS)))


def test_the_same_generator_draws_the_same_ticks():
    one, other = (Transitions(in_memory(LENGTHS)).sample(np.random.default_rng(5), 16) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
