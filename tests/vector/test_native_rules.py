"""Natively played worlds under every rule: each member is the single environment."""

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ActionNoise, ChunkedExecution
from chunkenv.kinetix import KinetixVectorEnv
from chunkenv.latency import Streamed
from chunkenv.registration import LEVELS
from tests.vector.comparing import MODES, play_singles
from tests.vector.rules import examples, noisy, rules

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


CALLS = {
    "several in flight": (dict(execution_horizon=2, latency=4, max_in_flight=2), [2] * 5),
    "rows that stream": (dict(execution_horizon=4, latency=Streamed((0.0, 0.0, 0.2, 0.2)), control_dt=0.1), [4] * 5),
    "chosen horizons": (dict(execution_horizon=(4, 4), delays=(0, 2)), [4] * 5),
    "a correction": (dict(execution_horizon=4, correction=noisy), [0, *[1] * 4] * 5),
}


@pytest.mark.parametrize("rule", CALLS)
def test_whole_cycles_are_one_call_but_for_corrections(rule, monkeypatch):
    options, ticks = CALLS[rule]
    calls, play = [], KinetixVectorEnv.play

    def count(envs, actions, counts, **options):
        calls.append(int(counts.max()))
        return play(envs, actions, counts, **options)

    monkeypatch.setattr(KinetixVectorEnv, "play", count)
    envs = gym.make_vec("chunkenv/kinetix-catapult-v0", 2, prediction_horizon=8, **options)
    envs.reset(seed=0)
    for _ in range(5):
        envs.step(envs.action_space.sample())
    assert calls == ticks


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
