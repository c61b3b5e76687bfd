import numpy as np
import pytest

from chunkenv.data.states import States
from tests.data.making import in_memory

LENGTHS = [3, 1, 4]


@pytest.fixture
def dataset():
    return in_memory(LENGTHS)


def test_places_go_through_every_episode_and_its_last_observation(dataset):
    states, expected = States(dataset), []
    for start, length, final in zip(dataset.episodes.start, LENGTHS, dataset.episodes.final_observation, strict=True):
        expected += [*dataset.observations[start : start + length], final]
    assert len(states) == len(expected) == sum(LENGTHS) + 3
    np.testing.assert_array_equal(states.observations(np.arange(len(states))), expected)


def test_a_tick_begins_with_its_own_observation_and_knows_its_episode_s_last_state(dataset):
    states, ticks = States(dataset), np.arange(sum(LENGTHS))
    np.testing.assert_array_equal(states.observations(states.of_ticks(ticks)), dataset.observations)
    assert states.last_of(ticks).tolist() == [3, 3, 3, 5, 10, 10, 10, 10]
