import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from scipy import stats

from chunkenv import ActionNoise
from chunkenv.errors import ArgumentError
from tests.worlds import ACTIONS, Recorder
from tests.wrappers.one_step import Script, assert_same

WIDE = spaces.Box(-1000.0, 1000.0, (2,), np.float64)


def noise_of(env, ticks=200, seed=0):
    """What was added to a constant action, [ticks, *shape]."""
    env.reset(seed=seed)
    action = np.full(env.action_space.shape, 0.5, env.action_space.dtype)
    for _ in range(ticks):
        env.step(action)
    return np.array(env.unwrapped.actions) - action


def test_noise_is_gaussian_with_its_standard_deviation():
    noise = noise_of(ActionNoise(Script([0.0] * 3000, action_space=WIDE), std=[0.1, 20.0]), 2000)
    assert stats.kstest(noise[:, 0], stats.norm(0, 0.1).cdf).pvalue > 0.01
    assert stats.kstest(noise[:, 1], stats.norm(0, 20.0).cdf).pvalue > 0.01
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.05
    assert abs(np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]) < 0.05


def test_one_number_holds_for_every_element():
    env = ActionNoise(Script([0.0] * 3000, action_space=WIDE), std=2)
    assert noise_of(env, 2000).std(axis=0) == pytest.approx([2.0, 2.0], rel=0.1)


def test_no_noise_is_the_wrapped_environment():
    bare, wrapped = Recorder(limit=8), ActionNoise(Recorder(limit=8), std=0.0)
    assert_same(bare.reset(seed=3), wrapped.reset(seed=3))
    for seed in range(8):
        action = np.random.default_rng(seed).uniform(-1, 1, 2).astype(np.float32)
        assert_same(bare.step(action), wrapped.step(action))
    assert_same(bare.actions, wrapped.unwrapped.actions)


@pytest.mark.parametrize("kind", ["scalar box", "box", "matrix box"])
def test_shape_and_dtype_are_those_of_the_space(kind):
    space = ACTIONS[kind]
    env = ActionNoise(Script([0.0] * 9, action_space=space), std=np.full(space.shape, 0.1))
    noise_of(env, 3)
    assert all(action.shape == space.shape and action.dtype == space.dtype for action in env.unwrapped.actions)


def test_nothing_is_clipped_here():
    env = ActionNoise(Script([0.0] * 99, action_space=ACTIONS["box"]), std=5.0)
    noise_of(env, 50)
    assert max(abs(action).max() for action in env.unwrapped.actions) > 1.0


def test_the_environment_clips():
    env = ActionNoise(gym.wrappers.ClipAction(Script([0.0] * 99, action_space=ACTIONS["box"])), std=5.0)
    noise_of(env, 50)
    assert max(abs(action).max() for action in env.unwrapped.actions) == 1.0


def test_the_action_given_is_not_changed():
    env = ActionNoise(Script([0.0] * 9, action_space=ACTIONS["box"]), std=1.0)
    env.reset(seed=0)
    action = np.zeros(2, np.float32)
    env.step(action)
    assert action.tolist() == [0.0, 0.0]


def test_a_refused_action_draws_no_noise():
    def play(with_mistake):
        env = ActionNoise(Script([0.0] * 9, action_space=WIDE), std=1.0)
        env.reset(seed=0)
        if with_mistake:
            with pytest.raises(ValueError, match="nan"):
                env.step(np.array([np.nan, 0.0]))
        env.step(np.zeros(2))
        return env.unwrapped.actions

    assert_same(play(True), play(False))


@pytest.mark.parametrize(
    ("std", "sentence"),
    [
        (-0.1, "std=-0.1 is not finite and at least 0"),
        (float("nan"), "std=nan is not finite"),
        (float("inf"), "std=inf is not finite"),
        ([0.1, -0.1], r"std=\[0.1, -0.1\] is not finite and at least 0"),
        ([0.1], r"std=\[0.1\] is not a number, nor one for each element"),
        ([0.1, 0.1, 0.1], "nor one for each element"),
        ([[0.1, 0.1]], "nor one for each element"),
        ([0.1, [0.1]], "is not a number"),
        ("0.1", "std='0.1' is not a number"),
        (True, "std=True is not a number"),
        (None, "std=None is not a number"),
        (1j, "std=1j is not a number"),
        ({"std": 0.1}, "is not a number"),
    ],
)
def test_bad_standard_deviation(std, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        ActionNoise(Recorder(), std)


@pytest.mark.parametrize("kind", ["discrete", "multidiscrete", "multibinary", "dict", "tuple", "nested"])
def test_actions_that_are_no_floats(kind):
    with pytest.raises(ArgumentError, match=r"needs actions of a Box of floats, not .*leave it out"):
        ActionNoise(Recorder(ACTIONS[kind]), std=0.1)


def test_a_box_of_whole_numbers_is_refused():
    with pytest.raises(ArgumentError, match="Box of floats"):
        ActionNoise(Recorder(spaces.Box(0, 9, (2,), np.int64)), std=0.1)
