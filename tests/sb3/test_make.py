import json
import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env as gymnasium_check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError, UnderrunWarning
from chunkenv.latency import LogNormal
from chunkenv.sb3 import make_sb3_env
from tests.sb3.worlds import DictLine, Line
from tests.worlds import ACTIONS


@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning", "ignore::chunkenv.errors.UnderrunWarning")
@settings(deadline=None, max_examples=25)
@given(
    horizon=st.integers(1, 5),
    delay=st.integers(0, 4),
    end=st.integers(1, 9),
    terminates=st.booleans(),
    seed=st.integers(0, 99),
)
def test_each_member_is_the_environment_alone(horizon, delay, end, terminates, seed):
    """Every environment of a VecEnv plays what a single one plays, ends inside chunks and fresh episodes included."""
    arguments = {"prediction_horizon": horizon, "latency": delay, "discount": 0.9}
    world = partial(Line, end=end, terminates=terminates)
    env = make_sb3_env(world, 2, seed=seed, **arguments)
    alone = ChunkedExecution(world(), observe_prefix="flat" if delay else False, **arguments)
    seen, (expected, _) = env.reset(), alone.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(6):
        np.testing.assert_array_equal(seen[0], expected)
        chunks = rng.uniform(-1, 1, (2, horizon, 2)).astype(np.float32)
        seen, rewards, dones, infos = env.step(chunks.reshape(2, -1))
        expected, reward, terminated, truncated, info = alone.step(chunks[0])
        assert rewards[0] == np.float32(reward)
        assert dones[0] == (terminated or truncated)
        assert {key: infos[0][key] for key in info} == info
        if dones[0]:
            np.testing.assert_array_equal(infos[0]["terminal_observation"], expected)
            assert infos[0]["TimeLimit.truncated"] == (truncated and not terminated)
            expected, _ = alone.reset()


@pytest.mark.parametrize("name", ["Pendulum-v1", "chunkenv/kinetix-catapult-v0"])
def test_horizons_leave_rows_for_an_inference_and_underruns_are_warned_of_once(name):
    late = {"prediction_horizon": 8, "latency": 2}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        usual = make_sb3_env(name, 3, **late)
        starved = make_sb3_env(name, 3, **late, execution_horizon=8)
    assert [warning.category for warning in caught if "underruns" in str(warning.message)] == [UnderrunWarning]
    assert all(decision_ticks(env) == ticks for env, ticks in ((usual, 6), (starved, 8)))


def decision_ticks(env):
    """Control steps of a decision."""
    env.reset()
    return env.step(np.zeros((3, *env.action_space.shape), np.float32))[3][0]["ticks"]


@pytest.mark.parametrize(
    ("world", "latency", "space"),
    [
        (Line, 0, spaces.Box),
        (Line, 2, spaces.Box),
        (Line, LogNormal(0.1, 0.5), spaces.Box),
        (DictLine, 0, spaces.Dict),
        (DictLine, 2, spaces.Dict),
    ],
)
def test_the_prefix_is_seen_where_something_is_late(world, latency, space):
    env = make_sb3_env(world, prediction_horizon=4, latency=latency)
    bare = world().observation_space
    assert type(env.observation_space) is space
    assert (env.observation_space == bare) == (latency == 0)


def test_a_picture_keeps_its_shape_beside_the_prefix():
    class Picture(Line):
        def __init__(self):
            super().__init__()
            self.observation_space = spaces.Box(0, 255, (3, 36, 36), np.uint8)

    env = make_sb3_env(Picture, prediction_horizon=4, latency=2)
    assert env.observation_space["observation"] == Picture().observation_space
    assert env.observation_space["prefix"].shape == (4, 2)


def test_the_prefix_may_be_left_out_or_asked_for():
    bare = Line().observation_space
    assert make_sb3_env(Line, prediction_horizon=4, latency=2, observe_prefix=False).observation_space == bare
    assert make_sb3_env(Line, prediction_horizon=4, observe_prefix="flat").observation_space.shape == (11,)


@pytest.mark.parametrize("name", ["discrete", "multidiscrete"])
def test_discrete_chunks_count_from_zero(name):
    env = make_sb3_env(partial(Line, action_space=ACTIONS[name]), prediction_horizon=2, latency=1)
    assert isinstance(env.action_space, spaces.MultiDiscrete)
    env.reset()
    env.step(np.stack([env.action_space.sample()]))


def test_worlds_of_ones_own_and_arguments_of_an_id():
    env = make_sb3_env("Pendulum-v1", prediction_horizon=2, env_kwargs={"g": 5.0})
    assert env.get_attr("unwrapped")[0].g == 5.0
    assert env.get_attr("discount") == [0.99]


def test_seeds():
    first, second = (make_sb3_env("Pendulum-v1", 2, seed=seed, prediction_horizon=2).reset() for seed in (5, 6))
    np.testing.assert_array_equal(first[1], second[0])


def test_in_processes_the_same():
    here, there = (
        make_sb3_env("Pendulum-v1", 2, seed=1, prediction_horizon=3, latency=1, processes=processes)
        for processes in (False, True)
    )
    np.testing.assert_array_equal(here.reset(), there.reset())
    (seen, rewards, dones, infos), theirs = here.step(np.zeros((2, 3))), there.step(np.zeros((2, 3)))
    np.testing.assert_array_equal(seen, theirs[0])
    np.testing.assert_array_equal(rewards, theirs[1])
    assert (dones.tolist(), infos) == (theirs[2].tolist(), theirs[3])
    there.close()


@pytest.mark.parametrize("latency", [0, 2])
@pytest.mark.parametrize("id", ["Pendulum-v1", "CartPole-v1"])
def test_the_checkers_of_gymnasium_and_stable_baselines(id, latency):
    """What is left is about the worlds themselves: Pendulum's torque from -2 to 2, CartPole's infinite bounds."""
    chunked = make_sb3_env(id, prediction_horizon=4, latency=latency).unwrapped.envs[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for advice in ("symmetric and normalized", "-1, 1", "different from the unwrapped version", "probably too"):
            warnings.filterwarnings("ignore", f"(?s).*{advice}")
        sb3_check_env(chunked)
        gymnasium_check_env(chunked, skip_render_check=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"id_or_env_fn": 3}, "id_or_env_fn=3 is neither an id nor a function"),
        ({"id_or_env_fn": Line()}, "is neither an id nor a function that returns a new environment"),
        ({"execution_horizn": 2}, "execution_horizn=2 is no argument here; did you mean 'execution_horizon'"),
        ({"n_envs": 0}, "n_envs=0 is too small"),
        ({"numbered": 1}, "numbered=1 is not True or False"),
        ({"processes": "yes"}, "processes='yes' is not True or False"),
        ({"env_kwargs": {"end": 3}}, "env_kwargs={'end': 3} is for an id"),
        ({"discount": 1.5}, "discount=1.5 is not a finite number from 0 to 1"),
        ({"observe_prefix": "long"}, "observe_prefix='long' is unknown"),
        ({"prediction_horizon": 0}, "prediction_horizon=0 is too small"),
        ({"id_or_env_fn": partial(Line, action_space=ACTIONS["dict"])}, "have no flat form"),
        ({"id_or_env_fn": partial(Line, action_space=ACTIONS["tuple"])}, "have no flat form"),
    ],
)
def test_what_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        make_sb3_env(**{"id_or_env_fn": Line, "prediction_horizon": 2, **arguments})


def test_without_stable_baselines_a_sentence_says_what_to_install():
    code = """
import json, sys
sys.modules["stable_baselines3"] = None
try:
    import chunkenv.sb3
except ImportError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    name, sentence = json.loads(run.stdout)
    assert name == "MissingExtraError"
    assert sentence == 'stable_baselines3 is not installed: run `pip install "chunkenv[sb3]"`.'
