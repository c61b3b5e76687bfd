import numpy as np
import pytest

from chunkenv.agents.policies.expert import Expert
from chunkenv.errors import ArgumentError
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.training.expert_evaluation import solved_episodes
from tests.agents.experts import random_expert


def test_an_episode_is_the_same_among_few_or_many():
    expert = random_expert("cartpole_thrust", seed=2)
    many = solved_episodes(expert, 40, seed=3)
    np.testing.assert_array_equal(solved_episodes(expert, 15, seed=3), many[:15])


def constant(drive):
    """An expert of grasp_easy that always does the same."""
    size = Simulator("grasp_easy").compact_size
    layers = ((np.zeros((size, 4), np.float32), 20 * np.array(drive, np.float32)),)
    return Expert("grasp_easy", 0, 0, 0.0, (0, 1, 2, 3), np.zeros(size, np.float32), np.ones(size, np.float32), layers)


@pytest.mark.parametrize(
    ("drive", "success"), [((0, 1, 1, -1), True), ((-1, -1, -1, -1), False), ((-1, 0, -1, 0), False)]
)
def test_solving_needs_blue_before_red_and_in_time(drive, success):
    assert solved_episodes(constant(drive), 3, seed=0, action_noise=0.0).tolist() == [success] * 3


def test_noise_makes_episodes_differ():
    assert len(set(solved_episodes(constant((0, 1, 1, -1)), 64, seed=1, action_noise=0.3))) == 2


def test_arguments_are_checked():
    with pytest.raises(ArgumentError, match="episodes=0 is too small"):
        solved_episodes(random_expert(), 0, seed=0)
    with pytest.raises(ArgumentError, match="action_noise=-1"):
        solved_episodes(random_expert(), 1, seed=0, action_noise=-1)
