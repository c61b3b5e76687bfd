"""What a tick is given and tells: an action of its own, and whether it succeeded."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from chunkenv import ActionDelay, ActionNoise, ChunkedExecution, ChunkedVectorExecution, ObservationDelay
from chunkenv.testing import CountingEnv
from tests.evaluate.test_single import Reporting
from tests.worlds import ACTIONS, Recorder


class Doubling(CountingEnv):
    """Rewards its action, then doubles the array that it was given."""

    def step(self, action):
        got = float(action[0])
        action *= 2
        observation, _, terminated, truncated, info = super().step(action)
        return observation, got, terminated, truncated, info


def spoil(value):
    """Write into every array of an action."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ():
        spoil(part)
    if isinstance(value, np.ndarray):
        value[...] = 0


class Spoiling(Recorder):
    """Keeps a copy of every action, and writes into what it was given."""

    def step(self, action):
        result = super().step(copy.deepcopy(action))
        spoil(action)
        return result


def both(options):
    """One environment, and two in a vector: each with its per-tick rewards and actions of a decision."""
    single = ChunkedExecution(Doubling(), info="actions", **options)
    vector = ChunkedVectorExecution(SyncVectorEnv([Doubling] * 2), info="actions", **options)
    single.reset(seed=0)
    vector.reset(seed=0)

    def step(chunk):
        one, many = single.step(chunk)[-1], vector.step(np.stack([chunk] * 2))[-1]
        for index in range(2):
            assert many["rewards"][index].tolist() == one["rewards"].tolist()
            assert np.array_equal(many["actions"][index], one["actions"])
        return one["rewards"].tolist(), [float(action[0]) for action in one["actions"]]

    def reset():
        single.reset()
        vector.reset()

    return step, reset


@pytest.mark.parametrize("underrun", [[0.5], "hold"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_underruns_action_is_the_same_in_every_tick_and_episode(underrun):
    step, reset = both(dict(prediction_horizon=1, execution_horizon=1, latency=4, underrun=underrun))
    for _ in range(3):
        assert step(np.array([[0.5]])) == ([0.5], [0.5])
        assert step(np.array([[0.5]])) == ([0.5] * 4, [0.5] * 4)
        reset()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_action_before_the_first_chunk_is_the_same_in_every_tick_and_episode():
    options = dict(execution_horizon=1, latency=3, cold_start="charged", first_action=[0.25])
    step, reset = both(dict(prediction_horizon=4, **options))
    for _ in range(3):
        assert step(np.array([[1], [2], [3], [4]]))[0] == [0.25] * 3
        reset()


def test_rows_left_over_are_those_of_the_chunk():
    step, _ = both(dict(prediction_horizon=4, execution_horizon=2, latency=2))
    rows = np.array([[1], [2], [3], [4]])
    assert step(rows) == ([1, 2], [1, 2])
    assert step(rows) == ([3, 4], [3, 4])
    assert step(rows) == ([3, 4], [3, 4])


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_action_of_any_space_is_shared(name):
    """An environment that writes into its actions gets those that another one gets."""
    space = ACTIONS[name]
    space.seed(0)
    options = dict(prediction_horizon=3, execution_horizon=2, latency=3, underrun=space.sample(), info="actions")
    tame, wild = (ChunkedExecution(kind(space), **options) for kind in (Recorder, Spoiling))
    wilds = ChunkedVectorExecution(SyncVectorEnv([lambda: Spoiling(space)]), **options)
    tame.action_space.seed(0)
    for env in (tame, wild, wilds):
        env.reset(seed=0)
    for _ in range(4):
        chunk = tame.action_space.sample()
        told = [env.step(copy.deepcopy(chunk))[-1]["actions"] for env in (tame, wild)]
        batch = gym.vector.utils.concatenate(
            tame.action_space, [chunk], gym.vector.utils.create_empty_array(tame.action_space, 1)
        )
        wilds.step(batch)
        assert repr(told[0]) == repr(told[1])
    assert repr(tame.unwrapped.actions) == repr(wild.unwrapped.actions)
    assert repr(tame.unwrapped.actions) == repr(wilds.env.envs[0].unwrapped.actions)


WRAPPERS = {
    "late actions": lambda env: ActionDelay(env, 2, observe=3),
    "late observations": lambda env: ObservationDelay(env, 2, observe=3),
    "noise": lambda env: ActionNoise(env, 0.5),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_our_other_wrappers_share_no_action_either(name):
    space = ACTIONS["box"]
    tame, wild = (WRAPPERS[name](kind(space)) for kind in (Recorder, Spoiling))
    for env in (tame, wild):
        env.reset(seed=0)
    for number in range(6):
        action = np.full(2, number / 10, np.float32)
        one, other = tame.step(action), wild.step(action)
        assert repr(one) == repr(other)
        assert action.tolist() == np.full(2, number / 10, np.float32).tolist()
    assert repr(tame.unwrapped.actions) == repr(wild.unwrapped.actions)


def test_the_callers_chunk_is_its_own():
    env = ChunkedExecution(Doubling(), 4)
    env.reset(seed=0)
    chunk = np.ones((4, 1), np.float32)
    env.step(chunk)
    assert chunk.tolist() == [[1]] * 4


def test_the_first_success_counts_the_ticks_of_its_decision():
    env = ChunkedExecution(Reporting(False, False, False, False, True, True, False, False), 4, 3)
    env.reset(seed=0)
    infos = [env.step(np.zeros((4, 1), np.float32))[-1] for _ in range(3)]
    assert ["first_success" in info for info in infos] == [False, True, False]
    assert (infos[1]["first_success"], infos[1]["success"]) == (2, True)


def test_the_first_success_of_many_is_that_of_each():
    reports = [(False, True, False, False), (False,) * 4, (..., ..., True, ...)]
    members = [lambda report=report: Reporting(*report) for report in reports]
    envs = ChunkedVectorExecution(SyncVectorEnv(members), 4, 3)
    envs.reset(seed=0)
    infos = envs.step(np.zeros((3, 4, 1), np.float32))[-1]
    assert infos["first_success"].tolist() == [2, 0, 3]
    assert infos["_first_success"].tolist() == [True, False, True]
    assert "first_success" not in envs.step(np.zeros((3, 4, 1), np.float32))[-1]
