"""Flat chunks do what nested chunks do."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from chunkenv import ChunkedExecution, FlattenChunk
from chunkenv.errors import ActionError, ArgumentError
from tests.worlds import ACTIONS, Recorder


def flat_env(name):
    return FlattenChunk(ChunkedExecution(Recorder(ACTIONS[name]), 4, 2, latency=1))


@pytest.mark.parametrize(
    ("name", "length"), [("box", 8), ("matrix box", 24), ("discrete", 4), ("multidiscrete", 8), ("multibinary", 12)]
)
def test_a_flat_chunk_is_the_chunk_row_after_row(name, length):
    flat, nested = flat_env(name), ChunkedExecution(Recorder(ACTIONS[name]), 4, 2, latency=1)
    assert flat.action_space.shape == (length,)
    nested.action_space.seed(0)
    for env in (flat, nested):
        env.reset(seed=0)
    for _ in range(4):
        chunk = nested.action_space.sample()
        assert flat.action_space.contains(chunk.ravel())
        flat.step(chunk.ravel())
        nested.step(chunk)
    assert pickle.dumps(flat.unwrapped.actions) == pickle.dumps(nested.unwrapped.actions)


def test_rebuilds_from_its_spec():
    env = FlattenChunk(ChunkedExecution(gym.make("Pendulum-v1"), 4))
    assert gym.make(EnvSpec.from_json(env.spec.to_json())).action_space == env.action_space


@pytest.mark.parametrize("name", ["dict", "tuple", "nested"])
def test_spaces_without_a_flat_form_are_refused(name):
    with pytest.raises(ArgumentError, match="have no flat form"):
        flat_env(name)


@pytest.mark.parametrize("bad", [np.zeros(7), np.zeros((4, 2)), 0.0, np.zeros(0), "left"])
def test_a_flat_chunk_of_the_wrong_shape_is_refused(bad):
    env = flat_env("box")
    env.reset(seed=0)
    with pytest.raises(ActionError, match=r"the flat chunk has shape .*; expected \(8,\)"):
        env.step(bad)
    env.step(np.zeros(8, np.float32))


def test_values_are_checked_as_in_a_chunk():
    env = flat_env("box")
    env.reset(seed=0)
    with pytest.raises(ActionError, match="nan"):
        env.step(np.full(8, np.nan))
