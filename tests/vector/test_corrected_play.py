"""Corrections of many environments: one call for all of them in a tick; the rows that have none stay as they are."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from chunkenv import ChunkedVectorExecution
from chunkenv.errors import ActionError, ResetNeededError
from chunkenv.testing import CountingEnv
from tests.vector.comparing import same
from tests.vector.rules import Together, noisy
from tests.vector.test_execution import chunks_of, counting


class Returning:
    """A corrector that returns what it is told to."""

    def __init__(self, many):
        self.many = many

    def correct(self, observation, row, row_index, tick, rng):
        raise AssertionError("it was asked for one")

    def correct_batch(self, observations, rows, row_index, tick, rngs):
        return self.many


def test_one_call_for_all_in_each_tick_never_on_underruns():
    """H = s = 4, d = 1: from the second decision on the first tick is an underrun; environment 0 ends in tick 6."""
    corrector = Together()
    envs = counting(ends=[6, None, None], execution_horizon=4, latency=1, correction=corrector, info="actions")
    envs.reset(seed=0)
    envs.step(chunks_of())
    assert [call[1].tolist() for call in corrector.calls] == [[row] * 3 for row in range(4)]
    assert [call[2].tolist() for call in corrector.calls] == [[tick] * 3 for tick in range(4)]
    corrector.calls.clear()
    *_, infos = envs.step(chunks_of())
    assert [call[1].tolist() for call in corrector.calls] == [[1, 1, 1], [-1, 2, 2], [-1, 3, 3]]
    assert [action.tolist() for action in infos["base_actions"][1][1:]] == [[1.0]] * 3
    assert infos["rewards"][1].tolist() == [float(action[0]) for action in infos["actions"][1]]


def test_an_underrun_holds_the_corrected_action():
    plus = Returning(np.full((3, 1), 10.0))
    envs = counting(execution_horizon=4, latency=1, correction=plus, info="actions")
    envs.reset(seed=0)
    envs.step(chunks_of())
    *_, infos = envs.step(2 * chunks_of())
    assert infos["rewards"][0].tolist() == [11, 12, 12, 12]
    assert [float(action[0]) for action in infos["base_actions"][0]] == [11, 2, 2, 2]


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (np.zeros((3, 2)), r"correct_batch returned an array of shape \(3, 2\); expected .* shape \(3, 1\)"),
        (None, r"of shape \(\); expected"),
        (np.full((3, 1), "left"), "of dtype <U4; expected numbers"),
        (np.array([[0.0], [np.nan], [0.0]]), "the correction of environment 1 at tick 0 is .*nan.*; expected finite"),
        ([[0.0], [0.0, 1.0], [0.0]], "ragged"),
    ],
    ids=["too wide", "nothing", "text", "NaN", "ragged"],
)
def test_corrections_that_cannot_be_meant(returned, sentence):
    envs = counting(correction=Returning(returned))
    envs.reset(seed=0)
    with pytest.raises(ActionError, match=sentence):
        envs.step(chunks_of())
    with pytest.raises(ResetNeededError):
        envs.step(chunks_of())
    envs.reset(seed=0)


def test_one_by_one_the_environment_is_named():
    def second(observation, row, row_index, tick, rng):
        return np.full(row.shape, np.inf if rng is last else 0.0)

    envs = counting(correction=second)
    envs.reset(seed=0)
    last = envs._corrected._rngs[2]
    with pytest.raises(ActionError, match=r"environment 2: the correction at tick 0 is .*inf"):
        envs.step(chunks_of())


def test_no_correction_changes_nothing():
    """Zeros are added: everything is as with none."""
    members = [lambda: gym.make("Pendulum-v1", max_episode_steps=13)] * 3
    options = dict(prediction_horizon=8, execution_horizon=3, latency=4, info="full", underrun="zero")
    zero = ChunkedVectorExecution(SyncVectorEnv(members), correction=Returning(np.zeros((3, 1))), **options)
    none = ChunkedVectorExecution(SyncVectorEnv(members), **options)
    same(zero.reset(seed=0), none.reset(seed=0))
    for _ in range(12):
        actions = none.action_space.sample()
        *result, infos = zero.step(actions)
        *expected, others = none.step(actions)
        same(infos.pop("base_actions"), infos["actions"])
        infos.pop("_base_actions")
        same((*result, infos), (*expected, others))


def test_a_reset_of_a_part_leaves_the_others_streams_alone():
    plays = []
    for masked in (False, True):
        envs = counting(correction=noisy, info="actions")
        envs.reset(seed=0)
        envs.step(chunks_of())
        if masked:
            envs.reset(options={"reset_mask": np.array([True, False, False])})
        *_, infos = envs.step(chunks_of())
        plays.append([infos["actions"][index] for index in (1, 2)])
    same(*plays)


def test_an_environment_that_raises_is_named_with_its_tick():
    class Breaking(CountingEnv):
        def step(self, action):
            if self.tick == 2:
                raise OSError("the motor is on fire")
            return super().step(action)

    envs = ChunkedVectorExecution(SyncVectorEnv([CountingEnv, Breaking]), 4, correction=noisy)
    envs.reset(seed=0)
    with pytest.raises(OSError, match="on fire") as caught:
        envs.step(chunks_of(2))
    notes = " ".join(caught.value.__notes__)
    assert "environment 1" in notes
    assert "at tick 2" in notes
