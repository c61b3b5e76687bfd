"""Ids by one call, single and as vectors, with and without chunks."""

import importlib

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from chunkenv import ActionNoise, ChunkedExecution, ChunkedVectorExecution, FlattenChunk
from chunkenv.errors import ArgumentError
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.latency import LogNormal
from chunkenv.making import ChunkedTask, VectorEnvMaker, plays_cycles

CATAPULT = "chunkenv/kinetix-catapult-v0"
CUBE = "chunkenv/manip-cube-single-task1-v0"
NEEDS = {CATAPULT: "numba", CUBE: "ogbench", "chunkenv/manip-cube-single-v0": "ogbench"}
IDS = (*NEEDS, "chunkenv/kinetix-catapult-box2d-v0")
LATE = {"prediction_horizon": 8, "execution_horizon": 4, "latency": 2}
OPTIONS = [
    LATE,
    {"prediction_horizon": 6, "latency": LogNormal(0.05, 0.8), "observe_prefix": True, "info": "actions"},
    {"prediction_horizon": 3, "latency": 2, "underrun": [0.5] * 5, "discount": 0.9},
]


@pytest.fixture(params=IDS)
def env_id(request):
    pytest.importorskip(NEEDS.get(request.param, "Box2D"))
    return request.param


def options_for(env_id, options):
    kinetix = "kinetix" in env_id
    return {**options, "underrun": [0.5] * 6} if kinetix and "underrun" in options else options


def play(env, decisions=12):
    """What an environment does with the same chunks."""
    env.action_space.seed(3)
    record = [env.reset(seed=5)]
    for _ in range(decisions):
        record.append(env.step(env.action_space.sample()))
        if record[-1][2] or record[-1][3]:
            record.append(env.reset())
    return record


def expect_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            expect_same(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            expect_same(left, right)
    else:
        np.testing.assert_array_equal(one, other)


def test_a_vector_is_chunked_if_chunks_are_asked_for():
    make = VectorEnvMaker(KinetixVectorEnv)
    assert type(make(2, level="catapult")) is KinetixVectorEnv
    assert type(make(2, level="catapult", prediction_horizon=4)) is ChunkedVectorExecution


def test_without_chunks_it_is_the_environment_itself(env_id):
    env = gym.make(env_id)
    assert not any(isinstance(layer, ChunkedExecution) for layer in layers(env))
    assert env.spec.additional_wrappers == ()
    assert env.spec.kwargs == gym.spec(env_id).kwargs


def layers(env):
    while isinstance(env, gym.Wrapper):
        yield env
        env = env.env


@pytest.mark.parametrize("options", OPTIONS, ids=["late", "random", "action"])
def test_with_chunks_it_is_chunked_execution_around_it(env_id, options):
    options = options_for(env_id, options)
    expected = play(ChunkedExecution(gym.make(env_id), **options))
    expect_same(play(gym.make(env_id, **options)), expected)


@pytest.mark.parametrize("options", OPTIONS, ids=["late", "random", "action"])
def test_its_spec_makes_it_again_in_chunks_once(env_id, options):
    env = gym.make(env_id, **options_for(env_id, options))
    expected = play(env)
    for spec in (env.spec, EnvSpec.from_json(env.spec.to_json())):
        again = gym.make(spec)
        assert sum(isinstance(layer, ChunkedExecution) for layer in layers(again)) == 1
        assert again.spec.to_json() == env.spec.to_json()
        expect_same(play(again), expected)


def test_what_is_wrapped_around_it_is_in_its_spec():
    env = FlattenChunk(gym.make(CATAPULT, **LATE))
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert [wrapper.name for wrapper in again.spec.additional_wrappers] == ["FlattenChunk"]
    assert again.action_space == env.action_space
    expect_same(play(again), play(env))


def test_the_time_limit_is_in_ticks():
    env = gym.make(CATAPULT, **LATE)
    env.reset(seed=0)
    ticks, over = 0, False
    while not over:
        _, _, terminated, over, info = env.step(np.zeros(env.action_space.shape, np.float32))
        assert not terminated
        ticks += info["ticks"]
    assert ticks == env.spec.max_episode_steps == 256


def test_without_a_limit_of_decisions_the_limit_in_ticks_stays():
    env = gym.make(CATAPULT, max_episode_steps=-1, **LATE)
    assert isinstance(env.env, gym.wrappers.PassiveEnvChecker)
    assert env.get_wrapper_attr("_max_episode_steps") == 256


@pytest.mark.filterwarnings("error", "ignore:.*is different from the unwrapped version")
def test_gymnasium_finds_nothing_to_complain_of(env_id):
    chunked = next(layer for layer in layers(gym.make(env_id, **LATE)) if isinstance(layer, ChunkedTask))
    check_env(chunked, skip_render_check=True)


def test_render_modes_are_those_of_the_environment():
    pytest.importorskip("pygame")
    for mode, count in (("rgb_array", None), ("rgb_array_list", 3)):
        env = gym.make(CATAPULT, render_mode=mode, render_size=32, **LATE)
        env.reset(seed=0)
        for _ in range(2):
            env.step(env.action_space.sample())
        frames = env.render()
        assert (len(frames) if count else frames.shape) == (count or (32, 32, 3))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"latency": 2}, "latency=2 needs chunks, but .* no prediction_horizon: give the number of rows in a chunk"),
        ({"prediction_horizn": 8}, "prediction_horizn=8 is no argument here; did you mean 'prediction_horizon'"),
        ({"prediction_horizon": 4, "execution_horizon": 5}, "execution_horizon=5"),
        ({"rewrad": "sparse"}, "did you mean 'reward'"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, sentence, env_id):
    with pytest.raises(ArgumentError, match=sentence):
        gym.make(env_id, **arguments)
    if gym.spec(env_id).vector_entry_point:
        with pytest.raises(ArgumentError, match=sentence):
            gym.make_vec(env_id, num_envs=2, **arguments)


KINETIX = [CATAPULT, "chunkenv/kinetix-catapult-box2d-v0"]


@pytest.mark.parametrize("env_id", KINETIX)
@pytest.mark.parametrize("chunks", [{}, LATE], ids=["ticks", "chunks"])
def test_noise_on_the_actions_is_that_of_the_wrapper(env_id, chunks):
    pytest.importorskip(NEEDS.get(env_id, "Box2D"))
    wrapped = ActionNoise(gym.make(env_id), 0.3)
    expected = play(ChunkedExecution(wrapped, **chunks) if chunks else wrapped, 40)
    env = gym.make(env_id, action_noise=0.3, **chunks)
    expect_same(play(env, 40), expected)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert sum(isinstance(layer, ActionNoise) for layer in layers(again)) == 1
    expect_same(play(again, 40), expected)
    with pytest.raises(AssertionError):
        expect_same(play(gym.make(env_id, action_noise=0.0, **chunks), 40), expected)


@pytest.mark.parametrize("chunks", [{}, LATE], ids=["ticks", "chunks"])
def test_noise_on_the_actions_is_that_of_a_vector(chunks):
    pytest.importorskip("numba")
    env = gym.make(CATAPULT, action_noise=0.3, **chunks)
    envs = gym.make_vec(CATAPULT, num_envs=2, action_noise=0.3, **chunks)
    (one, _), (many, _) = env.reset(seed=5), envs.reset(seed=5)
    for _ in range(20):
        np.testing.assert_array_equal(many[0], one)
        chunk = env.action_space.sample()
        one, reward, *_ = env.step(chunk)
        many, rewards, *_ = envs.step(np.stack([chunk, chunk]))
        assert rewards[0] == reward


def test_more_noise_around_it_is_independent():
    pytest.importorskip("numba")
    outer = ActionNoise(gym.make(CATAPULT, action_noise=0.3), 0.3)
    outer.reset(seed=0)
    inner = next(layer for layer in layers(outer.env) if isinstance(layer, ActionNoise))
    assert outer._rng.random() != inner._rng.random()


@pytest.mark.parametrize("noise", [-0.1, float("nan"), "much", [0.1]])
def test_a_noise_that_is_none(noise):
    pytest.importorskip("numba")
    for make in (gym.make, gym.make_vec):
        with pytest.raises(ArgumentError, match="action_noise="):
            make(CATAPULT, action_noise=noise)


def test_vectors_of_single_environments_take_chunks_too():
    envs = gym.make_vec(CATAPULT, num_envs=2, vectorization_mode="sync", **LATE)
    assert all(any(isinstance(layer, ChunkedTask) for layer in layers(env)) for env in envs.envs)


class OwnVectorEnv(KinetixVectorEnv):
    """A user's, which says what it can do."""

    plays_cycles = True


def test_an_id_says_what_its_vectors_can_do(env_id, monkeypatch):
    assert plays_cycles(env_id) == ("box2d" not in env_id)
    registry = {
        "own-v0": EnvSpec("own-v0", vector_entry_point=OwnVectorEnv),
        "broken-v0": EnvSpec("broken-v0", vector_entry_point="chunkenv.nowhere:make"),
    }
    monkeypatch.setattr(gym, "registry", {**gym.registry, **registry})
    assert plays_cycles("own-v0")
    assert not any(plays_cycles(name) for name in ("broken-v0", "CartPole-v1", "nothing-v0"))


def test_a_single_manipulation_environment_needs_no_numba():
    makers = importlib.import_module("chunkenv.making.manipulation_makers")
    assert not hasattr(makers, "make_manipulation")
