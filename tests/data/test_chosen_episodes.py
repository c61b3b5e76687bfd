from __future__ import annotations

import numpy as np
import pytest

from chunkenv.data import Episode, write_episodes
from chunkenv.data.chosen_episodes import choose_episodes, first_episodes
from chunkenv.errors import ArgumentError


@pytest.fixture
def dataset(tmp_path):
    """Episodes of 3, 1 and 2 ticks; the observations of episode e are 10 e, 10 e + 1, ..."""
    episodes = [
        Episode(
            (10 * number + np.arange(ticks + 1, dtype=np.float32))[:, None],
            np.full((ticks, 1), number, np.float32),
            np.full(ticks, number, np.float32),
            number == 1,
            number == 1,
            0,
            number,
        )
        for number, ticks in enumerate((3, 1, 2))
    ]
    return write_episodes(tmp_path / "data", episodes, {})


def test_the_chosen_episodes_keep_their_ticks_and_facts(dataset):
    part = choose_episodes(dataset, [2, 1])
    assert part.observations[:, 0].tolist() == [20, 21, 10]
    assert part.episode.tolist() == [0, 0, 1]
    assert part.episodes.start.tolist() == [0, 2]
    assert part.episodes.final_observation[:, 0].tolist() == [22, 11]
    assert part.episodes.success.tolist() == [False, True]
    assert part.terminated.tolist() == [False, False, True]
    assert part.truncated.tolist() == [False, True, False]


@pytest.mark.parametrize(("transitions", "episodes"), [(1, 1), (3, 1), (4, 2), (5, 3), (6, 3)])
def test_as_few_episodes_as_have_enough_ticks(dataset, transitions, episodes):
    assert len(first_episodes(dataset, transitions).episodes.length) == episodes


def test_what_cannot_be_meant_is_refused(dataset):
    with pytest.raises(ArgumentError, match="the data have 6 ticks"):
        first_episodes(dataset, 7)
    with pytest.raises(ArgumentError, match="transitions=0"):
        first_episodes(dataset, 0)
    for numbers in ([], [3], [0.5], [-1]):
        with pytest.raises(ArgumentError, match="from 0 to 2"):
            choose_episodes(dataset, numbers)
