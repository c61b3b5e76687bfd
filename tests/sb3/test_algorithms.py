import re
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import sb3_contrib
import torch
from stable_baselines3 import A2C, PPO, SAC
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from chunkenv.errors import ArgumentError
from chunkenv.latency import LogNormal
from chunkenv.sb3 import (
    ChunkA2C,
    ChunkDictRolloutBuffer,
    ChunkPPO,
    ChunkReplayBuffer,
    ChunkRolloutBuffer,
    PerDecisionDiscounts,
    chunk_ppo,
    make_sb3_env,
)
from tests.sb3.worlds import DictLine, Line

SHORT = {"n_steps": 64, "batch_size": 32, "n_epochs": 2, "device": "cpu"}


def curve(model):
    return [(episode["r"], episode["l"]) for episode in model.ep_info_buffer]


def assert_same_training(ours, theirs):
    assert curve(ours) == curve(theirs) != []
    for mine, yours in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(mine, yours)


@pytest.mark.no_cover
def test_ppo_on_cartpole_is_plain_ppo_to_the_bit():
    env = make_sb3_env("CartPole-v1", prediction_horizon=1)
    ours = ChunkPPO("MlpPolicy", env, seed=0, **SHORT).learn(1024)
    assert_same_training(ours, PPO("MlpPolicy", "CartPole-v1", seed=0, **SHORT).learn(1024))


@pytest.mark.no_cover
def test_a2c_on_pendulum_is_plain_a2c_to_the_bit():
    """200 steps truncate an episode: the bootstrap of a truncation is compared too."""
    env = make_sb3_env("Pendulum-v1", prediction_horizon=1, discount=0.9)
    ours = ChunkA2C("MlpPolicy", env, seed=0, gamma=0.9, device="cpu").learn(450)
    assert_same_training(ours, A2C("MlpPolicy", "Pendulum-v1", seed=0, gamma=0.9, device="cpu").learn(450))


@pytest.mark.no_cover
def test_sac_on_pendulum_is_plain_sac_to_the_bit():
    arguments = {"seed": 0, "device": "cpu", "learning_starts": 150, "policy_kwargs": {"net_arch": [32, 32]}}
    env = make_sb3_env("Pendulum-v1", prediction_horizon=1)
    ours = SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, **arguments).learn(450)
    assert_same_training(ours, SAC("MlpPolicy", "Pendulum-v1", **arguments).learn(450))


def test_without_a_latency_the_discount_of_a_constant_chunk_is_a_gamma():
    """H = s = 4 on Pendulum, whose 200 steps are whole chunks: plain PPO with gamma**4 trains the same."""
    env = partial(make_sb3_env, "Pendulum-v1", prediction_horizon=4, discount=0.9)
    ours = ChunkPPO("MlpPolicy", env(), seed=0, gamma=0.9**4, **SHORT).learn(256)
    assert_same_training(ours, PPO("MlpPolicy", env(), seed=0, gamma=0.9**4, **SHORT).learn(256))


def test_gamma_has_no_effect():
    env = partial(make_sb3_env, partial(Line, terminates=False), prediction_horizon=2)
    first, second = (ChunkPPO("MlpPolicy", env(), seed=0, gamma=gamma, **SHORT).learn(64) for gamma in (0.3, 0.9))
    np.testing.assert_allclose(first.rollout_buffer.returns, second.rollout_buffer.returns, rtol=1e-4)


def test_every_discount_arrives():
    env = make_sb3_env(
        "Pendulum-v1", 2, prediction_horizon=6, execution_horizon=2, latency=LogNormal(0.1, 0.8), control_dt=0.05
    )
    model = chunk_ppo(env, seed=0, **SHORT).learn(128)
    played = np.log(model.rollout_buffer.discounts) / np.log(0.99)
    assert set(np.rint(played).ravel()) > {2, 3}
    np.testing.assert_allclose(played, np.rint(played), atol=1e-9)


def test_dict_observations():
    env = make_sb3_env(DictLine, 2, prediction_horizon=3, latency=1)
    model = chunk_ppo(env, **SHORT).learn(128)
    assert isinstance(model.rollout_buffer, ChunkDictRolloutBuffer)


def test_normalised_rewards_are_bootstrapped_with_the_normalised_values():
    """What Stable-Baselines3 added is found beside what the outermost environment returned, not the innermost."""
    env = VecNormalize(make_sb3_env("Pendulum-v1", 2, prediction_horizon=4))
    plain = VecNormalize(make_sb3_env("Pendulum-v1", 2, prediction_horizon=4))
    ours = ChunkPPO("MlpPolicy", env, seed=0, gamma=0.99**4, **SHORT).learn(256)
    assert_same_training(ours, PPO("MlpPolicy", plain, seed=0, gamma=0.99**4, **SHORT).learn(256))


def test_saved_and_loaded_it_trains_on(tmp_path):
    env = make_sb3_env("CartPole-v1", 2, prediction_horizon=2, latency=1)
    chunk_ppo(env, **SHORT).learn(128).save(tmp_path / "model")
    model = ChunkPPO.load(tmp_path / "model", env=env)
    assert isinstance(model.learn(128).rollout_buffer, ChunkRolloutBuffer)


def test_another_algorithm_in_one_line():
    class ChunkTRPO(PerDecisionDiscounts, sb3_contrib.TRPO):
        pass

    env = make_sb3_env(partial(Line, terminates=False), prediction_horizon=2, discount=0.5)
    model = ChunkTRPO("MlpPolicy", env, n_steps=32, batch_size=32, device="cpu").learn(32)
    assert set(model.rollout_buffer.discounts.ravel()) == {0.25, 0.5}


class ChunkRecurrentPPO(PerDecisionDiscounts, sb3_contrib.RecurrentPPO):
    pass


@pytest.mark.parametrize(("world", "policy"), [(Line, "MlpLstmPolicy"), (DictLine, "MultiInputLstmPolicy")])
def test_an_algorithm_with_a_rollout_buffer_of_its_own(world, policy, tmp_path):
    env = make_sb3_env(partial(world, terminates=False), 2, prediction_horizon=2, discount=0.5)
    model = ChunkRecurrentPPO(policy, env, n_steps=32, batch_size=32, device="cpu").learn(64)
    assert isinstance(model.rollout_buffer, ChunkRolloutBuffer)
    assert model.rollout_buffer.hidden_states_pi.any()
    assert set(model.rollout_buffer.discounts.ravel()) == {0.25, 0.5}
    model.save(tmp_path / "model")
    again = ChunkRecurrentPPO.load(tmp_path / "model", env=env).learn(64)
    assert set(again.rollout_buffer.discounts.ravel()) == {0.25, 0.5}


class Masked(gym.Wrapper):
    """All but the first chunk of all zeros may be chosen."""

    def action_masks(self):
        return np.tile([False, True], 2)


def test_masks_of_actions(tmp_path):
    class ChunkMaskablePPO(PerDecisionDiscounts, sb3_contrib.MaskablePPO):
        pass

    world = partial(Line, terminates=False, action_space=gym.spaces.Discrete(2))
    env = make_sb3_env(lambda: Masked(world()), prediction_horizon=2, discount=0.5)
    model = ChunkMaskablePPO("MlpPolicy", env, n_steps=32, batch_size=32, device="cpu").learn(32)
    assert set(model.rollout_buffer.discounts.ravel()) == {0.25, 0.5}
    assert model.rollout_buffer.actions.all()
    model.save(tmp_path / "model")
    assert ChunkMaskablePPO.load(tmp_path / "model", env=env).learn(32).rollout_buffer.actions.all()


def test_random_search_learns_from_undiscounted_returns():
    env = make_sb3_env("CartPole-v1", prediction_horizon=2, numbered=True)
    sb3_contrib.ARS("LinearPolicy", env, n_delta=2, n_eval_episodes=1, device="cpu").learn(200)


def test_a_stock_algorithm_cannot_go_on_with_a_model_of_ours(tmp_path):
    env = make_sb3_env("CartPole-v1", prediction_horizon=2)
    chunk_ppo(env, **SHORT).save(tmp_path / "model")
    model = PPO.load(tmp_path / "model", env=env)
    with pytest.raises(ArgumentError, match=r"ChunkRolloutBuffer is filled .* train the model with ChunkPPO"):
        model.learn(64)


def test_a_model_of_a_stock_algorithm_goes_on_with_ours(tmp_path):
    env = make_sb3_env("CartPole-v1", prediction_horizon=2)
    PPO("MlpPolicy", env, **SHORT).save(tmp_path / "model")
    with pytest.raises(ArgumentError, match=re.escape("custom_objects={'rollout_buffer_class': None}")):
        ChunkPPO.load(tmp_path / "model", env=env)
    model = ChunkPPO.load(tmp_path / "model", env=env, custom_objects={"rollout_buffer_class": None}).learn(64)
    assert isinstance(model.rollout_buffer, ChunkRolloutBuffer)


def test_a_world_without_discounts_is_refused():
    with pytest.raises(ArgumentError, match="environment 0 has no 'discount'"):
        ChunkPPO("MlpPolicy", DummyVecEnv([partial(gym.make, "CartPole-v1")]), **SHORT).learn(64)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"gamma": 0}, "gamma=0 is not the discount here"),
        ({"rollout_buffer_class": RolloutBuffer}, "rollout_buffer_class=RolloutBuffer knows one discount only"),
    ],
)
def test_what_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        ChunkPPO("MlpPolicy", make_sb3_env(Line, prediction_horizon=2), **arguments)


def test_a_gamma_beside_the_environments_is_refused():
    with pytest.raises(ArgumentError, match=r"gamma=0.5 would have no effect: .* give it to make_sb3_env as discount"):
        chunk_ppo(make_sb3_env(Line, prediction_horizon=2), gamma=0.5)
