import numpy as np
import pytest

from chunkenv import data
from chunkenv.agents.sampling_planner import Planner
from chunkenv.collect import collect, collect_plans
from chunkenv.data.dataset_files import DataError
from chunkenv.data.verify import verify_episodes
from tests.collect.test_planner_player import QUICK
from tests.data.making import LEVEL, Waver, in_memory


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    return collect(LEVEL, [Waver(0), Waver(1)], tmp_path_factory.mktemp("a"), episodes=9, action_noise=0.2)


def changed(dataset, name, row, value):
    """A copy with one row of a column, or of the table, changed."""
    where = dataset if hasattr(dataset, name) else dataset.episodes
    column = np.array(getattr(where, name))
    column[row] = value
    if where is dataset:
        return data.Dataset(**{**vars(dataset), name: column})
    return data.Dataset(**{**vars(dataset), "episodes": dataset.episodes._replace(**{name: column})})


def test_what_was_collected_comes_out_again(collected, tmp_path):
    assert verify_episodes(collected, 20) == []
    assert verify_episodes(collect_plans(LEVEL, Planner(LEVEL, settings=QUICK), tmp_path, episodes=2), 2) == []
    assert verify_episodes(collect(LEVEL, [Waver(0)], tmp_path / "b", episodes=2, action_noise=0.0), 2) == []


@pytest.mark.parametrize(
    ("name", "row", "value", "sentence"),
    [
        ("observations", 3, 0.0, "Episode 0 comes out otherwise: its observation differs in tick 3."),
        ("actions", 3, -1.0, "Episode 0 comes out otherwise: its observation differs in tick 4."),
        ("rewards", 2, 0.5, "Episode 0 comes out otherwise: its reward or end differs in tick 2."),
        ("terminated", 2, True, "Episode 0 comes out otherwise: its reward or end differs in tick 2."),
        ("seed", 0, 5, "Episode 0 comes out otherwise: its observation differs in tick 1."),
        ("success", 0, True, "Episode 0 comes out otherwise: its last observation or its success differs."),
        ("final_observation", 0, 0.0, "Episode 0 comes out otherwise: its last observation or its success differs."),
    ],
)
def test_whatever_was_changed_is_noticed(collected, name, row, value, sentence):
    assert verify_episodes(changed(collected, name, row, value), 9) == [sentence]


def test_only_as_many_are_played_as_wanted(collected):
    last = int(collected.episodes.start[8])
    assert verify_episodes(changed(collected, "rewards", last, 0.5), 1) == []
    assert len(verify_episodes(changed(collected, "rewards", last, 0.5), 2)) == 1


def test_what_is_of_no_level_cannot_be_played():
    dataset = in_memory([3, 2])
    dataset.info["level"] = None
    with pytest.raises(DataError, match=r"is of level None with noise 0\.1, which cannot be played again"):
        verify_episodes(dataset, 1)
