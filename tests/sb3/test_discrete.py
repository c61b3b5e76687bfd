import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError
from chunkenv.sb3.discrete import FlatChoices, NumberedChunk
from tests.sb3.worlds import Line

actions = st.sampled_from([spaces.Discrete(3, start=5), spaces.MultiDiscrete([2, 3]), spaces.Discrete(2)])


@settings(deadline=None)
@given(st.integers(1, 3), actions)
def test_every_chunk_has_one_number(horizon, actions):
    env = NumberedChunk(ChunkedExecution(Line(action_space=actions), horizon))
    chunks = [env.action(number) for number in range(env.action_space.n)]
    assert all(env.env.action_space.contains(chunk) for chunk in chunks)
    rows = int(np.prod(getattr(actions, "nvec", actions.n if hasattr(actions, "n") else 0)))
    assert len({chunk.tobytes() for chunk in chunks}) == len(chunks) == rows**horizon


@settings(deadline=None)
@given(st.integers(1, 3), actions, st.integers(0, 99))
def test_choices_count_from_zero_row_after_row(horizon, actions, seed):
    env = FlatChoices(ChunkedExecution(Line(action_space=actions), horizon))
    env.action_space.seed(seed)
    flat = env.action_space.sample()
    assert np.all(env.action_space.start == 0)
    chunk = env.action(flat)
    assert env.env.action_space.contains(chunk)
    np.testing.assert_array_equal((chunk - getattr(actions, "start", 0)).ravel(), flat)


def test_one_row_is_the_action_itself():
    env = NumberedChunk(ChunkedExecution(gym.make("CartPole-v1"), 1))
    assert env.action_space == gym.make("CartPole-v1").action_space
    np.testing.assert_array_equal(env.action(np.int64(1)), [1])


def test_too_many_chunks_are_refused():
    with pytest.raises(ArgumentError, match=r"there are 8192 chunks .* choose a shorter prediction_horizon"):
        NumberedChunk(ChunkedExecution(gym.make("CartPole-v1"), 13))


@pytest.mark.parametrize("form", [FlatChoices, NumberedChunk])
def test_continuous_chunks_are_refused(form):
    with pytest.raises(ArgumentError, match="are not made of discrete actions; use FlattenChunk"):
        form(ChunkedExecution(gym.make("Pendulum-v1"), 2))
