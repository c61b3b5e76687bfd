"""Styles of data: everything drawn comes from one generator, and each style does what it is for."""

import gymnasium as gym
import numpy as np
import pytest

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.errors import ArgumentError
from chunkenv.manipulation.oracles.styles import STYLES, Actor


def acted(style, ticks=12, seed=0, family="cube-double", **options):
    """The actions of an actor in an episode, float32[ticks, 5]."""
    env = gym.make(f"chunkenv/manip-{family}-task1-v0").unwrapped
    env.reset(seed=0)
    actor, actions = Actor(style, family, np.random.default_rng(seed), **options), []
    for _ in range(ticks):
        actions.append(actor.act(env.facts()))
        env.step(actions[-1])
    return np.array(actions)


@pytest.mark.parametrize("style", STYLES)
def test_the_same_generator_gives_the_same_actions_whatever_numpys_global_one_does(style):
    first = acted(style)
    np.random.seed(5)  # noqa: NPY002
    np.testing.assert_array_equal(acted(style), first)
    assert first.dtype == np.float32
    assert np.abs(first).max() <= 1


@pytest.mark.parametrize("style", ["play", "noisy"])
def test_another_generator_gives_others(style):
    assert not np.array_equal(acted(style, seed=1), acted(style, seed=2))


def test_noise_is_added_to_any_style():
    plain, noisy = acted("task"), acted("task", action_noise=0.3)
    assert 0 < np.abs(plain[0] - noisy[0]).max() < 1.5


def test_the_level_of_noise_is_drawn_anew_for_each_episode():
    actor = Actor("noisy", "cube-double", np.random.default_rng(0))
    levels = [actor._level for _ in range(3) if actor.reset() is None]
    assert len(set(levels)) == 3
    assert 0 < min(levels) < max(levels) <= 0.5


def test_a_task_is_played_along_plans_if_asked_for():
    plan, usual = acted("task", primitives="plan"), acted("task")
    np.testing.assert_array_equal(acted("task", primitives="markov"), usual)
    assert not np.array_equal(plan, usual)


@pytest.mark.parametrize(
    "wrong", [{"style": "plays"}, {"style": "task", "action_noise": -1.0}, {"style": "task", "primitives": "fast"}]
)
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ArgumentError):
        Actor(family="scene", rng=np.random.default_rng(0), **wrong)
