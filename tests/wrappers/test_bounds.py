"""Actions beyond the bounds of their space are executed as they are, and shown as the bounds allow."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array

from chunkenv import ActionDelay, ChunkedExecution, ChunkedVectorExecution, ObservationDelay
from tests.worlds import ACTIONS, Recorder


class Permissive(Recorder):
    """Takes what is beyond its bounds, and keeps it."""

    def step(self, action):
        self.given = [*getattr(self, "given", []), action]
        return super().step(self.action_space.sample())


def twice(space, action):
    """An action with its real numbers doubled, so that they are beyond their bounds."""
    if isinstance(space, spaces.Dict):
        return {key: twice(part, action[key]) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(twice(*pair) for pair in zip(space.spaces, action, strict=True))
    return 2 * space.high if space.dtype in (np.float32, np.float64) else action


BOXES = ["box", "scalar box", "matrix box", "dict", "tuple", "nested"]


@pytest.mark.parametrize("observe", [True, "flat"])
@pytest.mark.parametrize("name", BOXES)
def test_the_prefix_that_is_observed_stays_in_its_space(name, observe):
    options = dict(prediction_horizon=4, execution_horizon=2, latency=2, observe_prefix=observe)
    env = ChunkedExecution(Permissive(ACTIONS[name]), **options)
    envs = ChunkedVectorExecution(SyncVectorEnv([lambda: Permissive(ACTIONS[name])]), **options)
    chunk = twice(env.action_space, env.action_space.sample())
    env.reset(seed=0)
    envs.reset(seed=0)
    observation = env.step(chunk)[0]
    assert env.observation_space.contains(observation)
    batch = concatenate(env.action_space, [chunk], create_empty_array(env.action_space, 1))
    assert envs.observation_space.contains(envs.step(batch)[0])


def test_the_request_and_the_world_get_rows_as_they_are():
    env = ChunkedExecution(Permissive(), 4, 2, latency=2, observe_prefix=True)
    env.reset(seed=0)
    observation = env.step(np.full((4, 2), 3.0, np.float32))[0]
    assert observation["prefix"].tolist() == [[1, 1], [1, 1], [0, 0], [0, 0]]
    assert env.request.prefix.tolist() == [[3, 3], [3, 3]]
    assert [action.tolist() for action in env.unwrapped.given] == [[3, 3], [3, 3]]


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("kind", [ActionDelay, ObservationDelay])
def test_the_actions_that_are_observed_stay_in_their_space(name, kind):
    space = ACTIONS[name]
    first = {"first_action": space.sample()} if kind is ActionDelay else {}
    env = kind(Permissive(space), 1, observe=2, **first)
    env.reset(seed=0)
    for _ in range(3):
        observation = env.step(twice(space, space.sample()))[0]
        assert env.observation_space.contains(observation)
