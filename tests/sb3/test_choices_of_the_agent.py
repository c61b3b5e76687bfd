"""Horizons and delays that the agent chooses, and several inferences in flight, with Stable-Baselines3."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.env_checker import check_env

import chunkenv
from chunkenv.errors import ArgumentError
from chunkenv.latency import Measured, Streamed
from chunkenv.sb3 import ModelPolicy, chunk_ppo, make_sb3_env
from chunkenv.sb3.discrete import FlatChoices, NumberedChunk
from chunkenv.wrappers import FlattenChunk
from tests.worlds import ACTIONS, Recorder

CHOICES = {
    "two in flight": {"execution_horizon": 2, "latency": 4, "max_in_flight": 2},
    "rows that stream": {"execution_horizon": 4, "latency": Streamed((0.1,) * 4 + (0.2,) * 4), "control_dt": 0.1},
    "horizons": {"execution_horizon": (2, 6), "latency": 2},
    "delays": {"execution_horizon": 4, "delays": (0, 2, 4)},
    "both": {"execution_horizon": (4, 6), "delays": (0, 2, 4)},
}
EXTRA = {"two in flight": 0, "rows that stream": 0, "horizons": 1, "delays": 1, "both": 2}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("world", ["CartPole-v1", "Pendulum-v1", "chunkenv/kinetix-catapult-v0"])
def test_trained_and_evaluated(name, world):
    env = make_sb3_env(world, n_envs=2, prediction_horizon=8, seed=0, **CHOICES[name])
    size = {"CartPole-v1": 8, "Pendulum-v1": 8, "chunkenv/kinetix-catapult-v0": 48}[world]
    assert env.action_space.shape == (size + EXTRA[name],)
    model = chunk_ppo(env, n_steps=8, batch_size=16, device="cpu", seed=0).learn(32)
    late = {"prediction_horizon": 8, "observe_prefix": "flat", **CHOICES[name]}
    rows = chunkenv.evaluate(
        lambda: chunkenv.ChunkedExecution(gym.make(world), **late), ModelPolicy(model), episodes=1, seed=0
    )
    assert rows[0]["decisions"] >= 1
    env.close()


def test_native_and_not_are_equal():
    arguments = {"prediction_horizon": 8, "n_envs": 2, "seed": 0, **CHOICES["both"]}
    task = "chunkenv/kinetix-catapult-v0"
    native = make_sb3_env(task, **arguments)
    single = make_sb3_env(lambda: gym.make(task), **arguments)
    np.testing.assert_array_equal(native.reset(), single.reset())
    native.action_space.seed(0)
    for _ in range(6):
        actions = np.stack([native.action_space.sample() for _ in range(2)])
        for one, two in zip(native.step(actions)[:3], single.step(actions)[:3], strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("actions", ["box", "discrete"])
def test_their_checker_is_silent(name, actions):
    late = {"prediction_horizon": 8, "observe_prefix": "flat", **CHOICES[name]}
    world = chunkenv.ChunkedExecution(Recorder(ACTIONS[actions]), **late)
    check_env(FlattenChunk(world) if actions == "box" else FlatChoices(world))


def test_numbered_chunks_have_a_number_for_every_choice():
    world = chunkenv.ChunkedExecution(gym.make("CartPole-v1"), 2, (1, 2), delays=(0, 1))
    env = NumberedChunk(world)
    assert env.action_space == gym.spaces.Discrete(2 * 2 * 2 * 2)
    action = env.action(0b1011)
    assert (action["chunk"].tolist(), action["delay"], action["horizon"]) == ([1, 0], 1, 2)


def test_the_models_choice_is_what_is_played():
    """Of real numbers the model's flat action ends with the delay and the horizon."""
    env = make_sb3_env("Pendulum-v1", prediction_horizon=4, execution_horizon=(1, 4), delays=(0, 2))
    model = chunk_ppo(env, n_steps=8, batch_size=8, device="cpu", seed=0)
    policy = ModelPolicy(model)
    late = {"execution_horizon": (1, 4), "delays": (0, 2), "observe_prefix": "flat"}
    world = chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 4, **late)
    observation, _ = world.reset(seed=0)
    flat, _ = model.predict(observation, deterministic=True)
    delay = policy.budget(observation, world.request)
    chunk, horizon = policy.infer(observation, world.request_after(delay))
    expected = FlattenChunk(world).action(flat)
    assert (horizon, world.action_space.delays[expected["delay"]]) == (expected["horizon"], delay)
    np.testing.assert_array_equal(chunk, expected["chunk"])


def test_a_latency_that_somebody_has_to_measure_is_refused():
    with pytest.raises(ArgumentError, match="which Stable-Baselines3 does not measure"):
        make_sb3_env("Pendulum-v1", prediction_horizon=8, latency=Measured(), delay_estimate="last")
