from functools import partial

import numpy as np
import pytest
import sb3_contrib
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import DQN, SAC, TD3
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from chunkenv.errors import ArgumentError
from chunkenv.sb3 import ChunkDictReplayBuffer, ChunkReplayBuffer, make_sb3_env
from tests.sb3.worlds import DictLine, Line

SMALL = {"learning_starts": 20, "batch_size": 16, "buffer_size": 200, "device": "cpu", "seed": 0}


def fill(env, buffer_class, decisions):
    """A buffer with all decisions of zeros, filled as `OffPolicyAlgorithm` does."""
    buffer = buffer_class(
        decisions * env.num_envs, env.observation_space, env.action_space, device="cpu", n_envs=env.num_envs
    )
    seen = env.reset()
    for _ in range(decisions):
        actions = np.zeros((env.num_envs, *env.action_space.shape), np.float32)
        following, rewards, dones, infos = env.step(actions)
        after = [info.get("terminal_observation", row) for info, row in zip(infos, rows(following), strict=True)]
        buffer.add(seen, joined(after), actions, rewards, dones, infos)
        seen = following
    return buffer


def rows(seen):
    if isinstance(seen, dict):
        return [dict(zip(seen, values, strict=True)) for values in zip(*seen.values(), strict=True)]
    return list(seen)


def joined(seen):
    if isinstance(seen[0], dict):
        return {key: np.array([row[key] for row in seen]) for key in seen[0]}
    return np.array(seen)


@pytest.mark.parametrize("terminates", [True, False])
def test_every_target_is_the_return_of_the_control_steps(terminates):
    """Line pays 1, 2, 4, 8, 16; with H = s = 2 the decisions last 2, 2 and 1 ticks, and a value of 100 follows."""
    world = partial(Line, end=5, terminates=terminates)
    buffer = fill(make_sb3_env(world, prediction_horizon=2, discount=0.5), ChunkReplayBuffer, 3)
    np.random.seed(0)  # noqa: NPY002
    samples = buffer.sample(64)
    targets = samples.rewards + (1 - samples.dones) * samples.discounts * 100.0
    by_tick = {0: 1 + 0.5 * 2 + 0.25 * 100, 2: 4 + 0.5 * 8 + 0.25 * 100, 4: 16 + (0 if terminates else 50)}
    assert set(samples.observations.flatten().tolist()) == {0, 2, 4}
    for tick, target in zip(samples.observations.flatten().tolist(), targets.flatten().tolist(), strict=True):
        assert target == by_tick[tick]


def test_a_truncation_keeps_its_discount():
    buffer = fill(
        make_sb3_env(partial(Line, terminates=False), prediction_horizon=5, discount=0.5), ChunkReplayBuffer, 1
    )
    samples = buffer.sample(1)
    assert samples.discounts.item() == 0.5**5
    assert samples.dones.item() == 0
    assert samples.next_observations.item() == 5


@settings(deadline=None)
@given(ends=st.lists(st.integers(1, 7), min_size=1, max_size=3), horizon=st.integers(1, 4), seed=st.integers(0, 9))
def test_samples_are_whole_decisions(ends, horizon, seed):
    """Whatever is drawn, observation, successor, reward and discount belong to one decision of one environment."""
    worlds = [partial(Line, end=max(ends), terminates=False)] * len(ends)
    env = make_sb3_env(worlds[0], len(ends), prediction_horizon=horizon, discount=0.5)
    buffer = fill(env, ChunkReplayBuffer, 4)
    np.random.seed(seed)  # noqa: NPY002
    samples = buffer.sample(32)
    start, stop = samples.observations.flatten(), samples.next_observations.flatten()
    torch.testing.assert_close(samples.discounts.flatten(), 0.5 ** (stop - start))
    paid = [sum(0.5**i * 2 ** (int(a) + i) for i in range(int(b - a))) for a, b in zip(start, stop, strict=True)]
    torch.testing.assert_close(samples.rewards.flatten(), torch.tensor(paid))


@pytest.mark.parametrize(
    ("world", "ours", "theirs"),
    [(Line, ChunkReplayBuffer, ReplayBuffer), (DictLine, ChunkDictReplayBuffer, DictReplayBuffer)],
)
def test_the_same_samples_as_the_base_class(world, ours, theirs):
    drawn = []
    for kind in (ours, theirs):
        worlds = iter([partial(world, end=end, terminates=False, pays=[float(end)] * end) for end in (3, 5, 9)])
        env = make_sb3_env(lambda worlds=worlds: next(worlds)(), 3, prediction_horizon=2)
        buffer = fill(env, kind, 5)
        np.random.seed(4)  # noqa: NPY002
        drawn.append(buffer.sample(10)._replace(discounts=None))
    flat = [torch.utils._pytree.tree_flatten(tuple(samples)[:-1])[0] for samples in drawn]
    for mine, yours in zip(*flat, strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=0)


def test_normalised_by_the_environment():
    env = VecNormalize(make_sb3_env(Line, 2, prediction_horizon=2))
    buffer = fill(env, ChunkReplayBuffer, 3)
    np.random.seed(1)  # noqa: NPY002
    raw = buffer.sample(20)
    np.random.seed(1)  # noqa: NPY002
    normalised = buffer.sample(20, env)
    np.testing.assert_array_equal(normalised.observations, env.normalize_obs(raw.observations.numpy()))
    np.testing.assert_allclose(normalised.rewards, env.normalize_reward(raw.rewards.numpy()), rtol=1e-6)
    assert not torch.equal(raw.rewards, normalised.rewards)


@pytest.mark.parametrize("algorithm", [SAC, TD3, sb3_contrib.TQC, sb3_contrib.CrossQ])
def test_algorithms_of_continuous_actions_learn_with_it(algorithm):
    env = make_sb3_env("Pendulum-v1", 2, prediction_horizon=4, execution_horizon=4, latency=2)
    model = algorithm("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, **SMALL).learn(40)
    stored = model.replay_buffer.discounts[: model.replay_buffer.pos]
    np.testing.assert_array_equal(stored, np.float32(0.99**4))


@pytest.mark.parametrize("algorithm", [DQN, sb3_contrib.QRDQN])
@pytest.mark.parametrize("horizon", [1, 3])
def test_algorithms_of_one_discrete_action_learn_with_it(algorithm, horizon):
    env = make_sb3_env("CartPole-v1", prediction_horizon=horizon, numbered=True)
    assert env.action_space.n == 2**horizon
    algorithm("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, **SMALL).learn(40)


def test_dict_observations_learn_with_it():
    env = make_sb3_env(partial(DictLine, terminates=False), 2, prediction_horizon=3, latency=1)
    SAC("MultiInputPolicy", env, replay_buffer_class=ChunkDictReplayBuffer, **SMALL).learn(40)


class Recorded(ChunkReplayBuffer):
    """A buffer whose samples have another discount than their own."""

    def _get_samples(self, batch_inds, env=None):
        samples = super()._get_samples(batch_inds, env)
        return samples._replace(discounts=torch.zeros_like(samples.discounts))


def test_the_algorithm_uses_the_discounts():
    """Without this, an algorithm that ignores them would pass every other test."""
    trained = []
    for kind in (ChunkReplayBuffer, Recorded):
        env = make_sb3_env("Pendulum-v1", prediction_horizon=2)
        trained.append(SAC("MlpPolicy", env, replay_buffer_class=kind, **SMALL).learn(40))
    first, second = (model.critic.state_dict() for model in trained)
    assert any(not torch.equal(first[key], second[key]) for key in first)


def test_a_world_without_discounts_is_refused():
    model = SAC("MlpPolicy", DummyVecEnv([Line]), replay_buffer_class=ChunkReplayBuffer, **SMALL)
    with pytest.raises(ArgumentError, match=r"has no 'discount': make the environment with chunkenv.sb3.make_sb3_env"):
        model.learn(5)
    assert model.replay_buffer.pos == 0


@pytest.mark.parametrize("kwargs", [None, {"handle_timeout_termination": False}])
@pytest.mark.parametrize("buffer_class", [ChunkReplayBuffer, ChunkDictReplayBuffer])
def test_forgetting_what_followed_is_refused(buffer_class, kwargs):
    env = make_sb3_env(Line, prediction_horizon=1)
    small = {**SMALL, "optimize_memory_usage": True, "replay_buffer_kwargs": kwargs}
    with pytest.raises(ArgumentError, match="optimize_memory_usage=True forgets"):
        SAC("MlpPolicy", env, replay_buffer_class=buffer_class, **small)


@pytest.mark.parametrize("algorithm", [DQN, sb3_contrib.QRDQN])
def test_flat_choices_for_one_number_say_what_to_do(algorithm):
    env = make_sb3_env("CartPole-v1", prediction_horizon=2)
    with pytest.raises(AssertionError, match=r"MultiDiscrete\(\[2 2\]\) .*make_sb3_env\(..., numbered=True\)"):
        algorithm("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, **SMALL)
