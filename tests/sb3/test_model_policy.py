from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import sb3_contrib
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize

import chunkenv
from chunkenv.errors import ArgumentError
from chunkenv.sb3 import ChunkPPO, ModelPolicy, PerDecisionDiscounts, chunk_ppo, make_sb3_env
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


class Paying(gym.Env):
    """Pays the action; observes a choice of 5, 6 and 7, whose number is the tick's; 20 ticks."""

    observation_space = gym.spaces.Discrete(3, start=5)

    def __init__(self, action_space):
        self.action_space = action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick = 0
        return np.int64(5), {}

    def step(self, action):
        self.tick += 1
        return np.int64(5 + self.tick % 3), float(np.sum(action)), False, self.tick == 20, {}


STARTS = {
    "from one": (gym.spaces.Discrete(3, start=1), 3),
    "negative": (gym.spaces.Discrete(3, start=-1), 1),
    "several": (gym.spaces.MultiDiscrete([2, 3], start=[1, -4]), 0),
    "bytes": (gym.spaces.Box(250, 255, (1,), np.uint8), 255),
    "all bytes": (gym.spaces.Box(0, 255, (1,), np.uint8), 255),
}


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("late", [{}, {"latency": 1, "observe_prefix": True}], ids=["at once", "late"])
def test_choices_that_start_elsewhere_are_played_as_they_were_trained(name, late, tmp_path):
    """The model always chooses the last value, which both evaluations must pay in full."""
    actions, best = STARTS[name]
    env = make_sb3_env(partial(Paying, actions), prediction_horizon=2, **late)
    chunk_ppo(env, n_steps=16, batch_size=16, device="cpu", seed=0).learn(32).save(tmp_path / "model")
    model = ChunkPPO.load(tmp_path / "model", device="cpu")
    model.policy._predict = lambda seen, deterministic: torch.tensor(env.action_space.nvec - 1)[None]
    rows = chunkenv.evaluate(
        lambda: chunkenv.ChunkedExecution(Paying(actions), 2, **late), ModelPolicy(model), episodes=1, seed=0
    )
    returns, _ = evaluate_policy(model, env, 1, return_episode_rewards=True)
    assert rows[0]["return"] == returns[0] == 20 * best


def test_prefixes_and_observations_count_from_zero_for_the_model():
    world = partial(Paying, gym.spaces.Discrete(3, start=-1))
    late = {"prediction_horizon": 2, "latency": 1, "observe_prefix": True}
    env = make_sb3_env(world, **late)
    alone = chunkenv.ChunkedExecution(world(), **late)
    env.reset(), alone.reset(seed=0)
    seen = env.step(np.array([[0, 2]]))[0]
    expected = alone.step(np.array([-1, 1]))[0]
    assert (expected["observation"], expected["prefix"].tolist()) == (6, [1, 0])
    assert (seen["observation"].tolist(), seen["prefix"].tolist()) == ([[1]], [[2, 1]])


@pytest.mark.no_cover
def test_a_recurrent_model_remembers_within_an_episode_only():
    late = {"prediction_horizon": 2, "latency": 1}
    env = make_sb3_env("Pendulum-v1", **late)

    class ChunkRecurrentPPO(PerDecisionDiscounts, sb3_contrib.RecurrentPPO):
        pass

    model = ChunkRecurrentPPO("MlpLstmPolicy", env, n_steps=64, batch_size=64, device="cpu", seed=0).learn(64)
    make_env = lambda: chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), observe_prefix="flat", **late)
    rows = chunkenv.evaluate(make_env, ModelPolicy(model), episodes=2, seed=5)
    for row in rows:
        env.seed(row["seed"])
        returns, _ = evaluate_policy(model, env, 1, return_episode_rewards=True)
        assert returns[0] == pytest.approx(row["return"], abs=1e-4)
