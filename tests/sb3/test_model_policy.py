from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize

import chunkenv
from chunkenv.errors import ArgumentError
from chunkenv.sb3 import ModelPolicy, chunk_ppo, make_sb3_env
from tests.sb3.worlds import Line
from tests.worlds import ACTIONS

LATE = {"prediction_horizon": 4, "execution_horizon": 2, "latency": 2}


def test_evaluated_as_stable_baselines_evaluates_it():
    env = make_sb3_env("Pendulum-v1", **LATE)
    model = chunk_ppo(env, n_steps=64, batch_size=64, device="cpu", seed=0).learn(128)
    chunked = partial(chunkenv.ChunkedExecution, observe_prefix="flat", **LATE)
    rows = chunkenv.evaluate(lambda: chunked(gym.make("Pendulum-v1")), ModelPolicy(model), episodes=1, seed=5)
    env.seed(rows[0]["seed"])
    returns, lengths = evaluate_policy(model, env, 1, return_episode_rewards=True)
    assert lengths == [rows[0]["ticks"]] == [200]
    assert returns[0] == pytest.approx(rows[0]["return"], abs=1e-5)


@pytest.mark.parametrize("name", ["box", "matrix box", "multidiscrete"])
def test_the_rows_of_every_kind_of_action(name):
    world = partial(Line, action_space=ACTIONS[name])
    if name == "matrix box":
        world = partial(Line, action_space=gym.spaces.Box(-1.0, 1.0, (2, 3), np.float32))
    model = chunk_ppo(make_sb3_env(world, prediction_horizon=3), n_steps=8, batch_size=8, device="cpu")
    rows = chunkenv.evaluate(lambda: chunkenv.ChunkedExecution(world(), 3), ModelPolicy(model), episodes=1, seed=0)
    assert rows[0]["return"] == 31


def test_observations_are_normalised_as_in_training():
    env = VecNormalize(make_sb3_env("Pendulum-v1", prediction_horizon=2))
    model = chunk_ppo(env, n_steps=64, batch_size=64, device="cpu", seed=0).learn(64)
    world = chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 2)
    seen, _ = world.reset(seed=0)
    expected, _ = model.predict(env.normalize_obs(seen), deterministic=True)
    np.testing.assert_array_equal(ModelPolicy(model).infer(seen, world.request).ravel(), expected)


def test_numbered_chunks_are_refused():
    model = DQN("MlpPolicy", make_sb3_env("CartPole-v1", prediction_horizon=2, numbered=True), buffer_size=9)
    with pytest.raises(ArgumentError, match="a model of numbered chunks has no rows to read"):
        ModelPolicy(model)
