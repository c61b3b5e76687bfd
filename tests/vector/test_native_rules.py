"""Natively played worlds under every rule: each member is the single environment."""

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ActionNoise, ChunkedExecution
from chunkenv.registration import LEVELS
from tests.vector.comparing import MODES, play_singles
from tests.vector.rules import examples, rules

pytestmark = pytest.mark.filterwarnings(
    "ignore::chunkenv.errors.StaleChunkWarning", "ignore::chunkenv.errors.UnderrunWarning"
)


@st.composite
def kinetix_worlds(draw):
    """A level, and the arguments of its environment."""
    observation = draw(st.sampled_from(["symbolic", "compact"]))
    reward, limit = draw(st.sampled_from(["sparse", "distance", "penalty"])), draw(st.integers(3, 40))
    level = f"chunkenv/kinetix-{draw(st.sampled_from(LEVELS))}-v0"
    return level, dict(observation=observation, reward=reward, max_episode_steps=limit)


def check_native(data, name, arguments, steps, noise=0.0):
    """Draw rules, and compare a native batch with each of its members alone."""
    chunks = data.draw(rules(real=True), "chunks")
    chunks["info"] = data.draw(st.sampled_from(["basic", "actions", "full"]), "info")
    num_envs, mode = data.draw(st.integers(1, 3), "num_envs"), data.draw(st.sampled_from(MODES), "mode")
    own = arguments | ({"action_noise": noise} if noise else {})
    many = gym.make_vec(name, num_envs, autoreset_mode=mode, threads=1, **own, **chunks)
    play_singles(many, [_alone(name, arguments, noise, chunks) for _ in range(num_envs)], steps, seed=data.draw(seeds))


def _alone(name, arguments, noise, chunks):
    env = gym.make(name, disable_env_checker=True, **arguments)
    return ChunkedExecution(ActionNoise(env, noise) if noise else env, **chunks)


seeds = st.integers(0, 1000)
noises = st.sampled_from([0.0, 0.1])


@given(st.data(), kinetix_worlds(), noises)
@examples(25)
def test_kinetix(data, world, noise):
    check_native(data, *world, steps=12, noise=noise)


@pytest.mark.slow
@given(st.data(), kinetix_worlds(), noises)
@examples(800)
def test_kinetix_in_many_cases(data, world, noise):
    check_native(data, *world, steps=25, noise=noise)


@given(st.data(), st.sampled_from(["cube-single-task1", "scene"]))
@examples(4)
def test_manipulation(data, name):
    check_native(data, f"chunkenv/manip-{name}-v0", dict(max_episode_steps=12), steps=3)


@pytest.mark.slow
@given(st.data(), st.sampled_from(["cube-single-task1", "cube-double-task2", "scene"]))
@examples(60)
def test_manipulation_in_many_cases(data, name):
    check_native(data, f"chunkenv/manip-{name}-v0", dict(max_episode_steps=15), steps=6)
