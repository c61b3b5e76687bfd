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


def test_ppo_on_cartpole_is_plain_ppo_to_the_bit():
    env = make_sb3_env("CartPole-v1", prediction_horizon=1)
    ours = ChunkPPO("MlpPolicy", env, seed=0, **SHORT).learn(1024)
    assert_same_training(ours, PPO("MlpPolicy", "CartPole-v1", seed=0, **SHORT).learn(1024))


def test_a2c_on_pendulum_is_plain_a2c_to_the_bit():
    """200 steps truncate an episode: the bootstrap of a truncation is compared too."""
    env = make_sb3_env("Pendulum-v1", prediction_horizon=1, discount=0.9)
    ours = ChunkA2C("MlpPolicy", env, seed=0, gamma=0.9, device="cpu").learn(450)
    assert_same_training(ours, A2C("MlpPolicy", "Pendulum-v1", seed=0, gamma=0.9, device="cpu").learn(450))


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
