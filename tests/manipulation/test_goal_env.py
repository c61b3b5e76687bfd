"""The goal-conditioned environments: which goal, and what is rewarded for it."""

import time

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.manipulation import TASKS
from chunkenv.manipulation.goal_env import GoalManipulationEnv
from tests.manipulation.driving import Driver
from tests.manipulation.shared import EVERY_DAY

NUMBERS = ("objects", "features")
"""Goals that are arrays; those in words have tests of their own."""


def targets(env):
    """The goal as a reset leaves it, without the order of the cubes."""
    facts = env.facts()
    return sorted(facts.get("cube_targets", np.empty(0)).ravel()), list(facts.get("button_targets", ()))


@pytest.mark.parametrize("family", EVERY_DAY)
def test_the_seed_or_the_options_choose_the_goal(family):
    env = GoalManipulationEnv(family)
    by_task = []
    for task in TASKS:
        env.reset(seed=0, options={"task": task})
        by_task.append(targets(env))
    drawn = []
    for seed in range(30):
        env.reset(seed=seed)
        drawn.append(targets(env))
    env.reset(seed=seed)
    assert targets(env) == drawn[-1]
    assert all(goal in by_task for goal in drawn)
    assert all(goal in drawn for goal in by_task)


@pytest.mark.parametrize("goal", NUMBERS)
def test_hindsight_has_more_than_100_000_rewards_a_second(goal):
    """Of processor time, in batches of 1024."""
    env = GoalManipulationEnv("cube-double", goal)
    size = env.observation_space["desired_goal"].shape[0]
    achieved, desired = np.random.default_rng(0).normal(size=(2, 1024, size)).astype(np.float32)
    env.compute_reward(achieved, desired, {})
    start = time.process_time()
    for _ in range(20):
        env.compute_reward(achieved, desired, {})
    assert 20 * 1024 / (time.process_time() - start) > 100_000


def test_an_unknown_task_is_refused():
    with pytest.raises(ArgumentError, match="task=7 is unknown"):
        GoalManipulationEnv("cube-double").reset(options={"task": 7})


def test_an_unknown_goal_is_refused():
    with pytest.raises(ArgumentError, match="goal='object' is unknown; did you mean 'objects'"):
        GoalManipulationEnv("cube-double", goal="object")


@pytest.mark.parametrize("family", EVERY_DAY)
@pytest.mark.parametrize("reward", ["count", "sparse"])
def test_the_rewards_of_many_goals_are_those_of_the_steps(family, reward):
    env = GoalManipulationEnv(family, reward=reward)
    env.reset(seed=1)
    driver, seen, rewards = Driver(1), [], []
    for _ in range(60):
        observation, reward_now, *_ = env.step(driver.act(env.facts()))
        seen.append(observation)
        rewards.append(reward_now)
    achieved, desired = (np.stack([row[name] for row in seen]) for name in ("achieved_goal", "desired_goal"))
    np.testing.assert_array_equal(env.compute_reward(achieved, desired, None), rewards)
    assert env.compute_reward(achieved[5], desired[5], {}) == rewards[5]
    assert env.compute_reward(achieved[5], achieved[5], {}) == 0
    assert type(env.compute_reward(achieved[5], desired[5], {})) is float


@pytest.mark.parametrize("goal", NUMBERS)
def test_the_goal_is_what_the_task_wants(goal):
    env = GoalManipulationEnv("cube-double", goal=goal)
    seen = env.reset(seed=0, options={"task": 5})[0]
    assert seen in env.observation_space
    start = 19 if goal == "features" else 0
    cube = seen["desired_goal"][start : start + 3] / 10 + [0.425, 0, 0]
    np.testing.assert_allclose(cube, env.facts()["cube_targets"][0], atol=0.01)
    env.step(np.zeros(5, np.float32))
    np.testing.assert_array_equal(env.step(np.zeros(5, np.float32))[0]["desired_goal"], seen["desired_goal"])


def test_a_state_takes_its_goal_along():
    env, other = GoalManipulationEnv("cube-double"), GoalManipulationEnv("cube-double")
    env.reset(seed=0, options={"task": 1})
    other.reset(seed=0, options={"task": 4})
    other.set_state(env.get_state())
    action = np.zeros(5, np.float32)
    for name, array in env.step(action)[0].items():
        np.testing.assert_array_equal(other.set_state(env.get_state()) or other._observe()[name], array)


def test_states_are_observed_whole():
    env = GoalManipulationEnv("cube-double", observation="state")
    np.testing.assert_array_equal(env.reset(seed=0)[0], env.get_state())
    assert env.get_state() in env.observation_space


@pytest.mark.parametrize("goal", NUMBERS)
def test_features_tell_what_they_have_achieved(goal):
    env = GoalManipulationEnv("cube-double", goal=goal)
    seen = [env.reset(seed=0)[0], env.step(np.full(5, 0.5, np.float32))[0]]
    achieved = env.achieved_goals(np.stack([each["observation"] for each in seen]))
    assert achieved.dtype == np.float32
    np.testing.assert_array_equal(achieved, np.stack([each["achieved_goal"] for each in seen]))
