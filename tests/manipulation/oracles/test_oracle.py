"""The oracle solves whole tasks, notices what hangs, and says nothing when nothing is to be done."""

import copy

import gymnasium as gym
import numpy as np
import pytest

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.errors import ArgumentError
from chunkenv.manipulation import FAMILIES
from chunkenv.manipulation.oracles.oracle import RETREAT, STUCK, Oracle, next_subgoal
from tests.manipulation.oracles.scenes import cubes

FACTS = cubes([(0.35, 0.1, 0.02)], [(0.5, -0.1, 0.02)])


def solved(family, task, seed=0, style="markov"):
    """Whether an episode is solved, and after how many ticks."""
    env = gym.make(f"chunkenv/manip-{family}-task{task}-v0")
    env.reset(seed=seed)
    oracle, ticks, over, info = Oracle(family, style), 0, False, {}
    while not over:
        _, _, terminated, truncated, info = env.step(oracle.act(env.unwrapped.facts()))
        ticks, over = ticks + 1, terminated or truncated
    return info["success"], ticks


@pytest.mark.parametrize(("family", "task"), [("cube-single", 2), ("cube-double", 4), ("scene", 1), ("puzzle-3x3", 1)])
def test_it_solves_a_task_of_each_kind(family, task):
    success, ticks = solved(family, task)
    assert success
    assert ticks < 300


def test_it_solves_a_task_along_plans():
    assert solved("cube-single", 1, style="plan")[0]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_it_solves_every_task(family):
    assert [solved(family, task)[0] for task in (1, 2, 3, 4, 5)] == [True] * 5


def test_it_acts_the_same_on_the_same_facts():
    first, second = Oracle("cube-single"), Oracle("cube-single")
    for _ in range(10):
        np.testing.assert_array_equal(first.act(FACTS), second.act(FACTS))


def test_a_gripper_that_hangs_backs_off_open_and_tries_again():
    oracle = Oracle("cube-single")
    stuck = [oracle.act(FACTS) for _ in range(STUCK + 1)]
    backing = [oracle.act(FACTS) for _ in range(RETREAT)]
    assert not any(np.array_equal(action, backing[0]) for action in stuck)
    for action in backing:
        assert action[2] > 0 > action[4]
    again = oracle.act(FACTS)
    np.testing.assert_array_equal(again, stuck[0])


def test_nothing_to_do_is_no_motion():
    facts = cubes([(0.5, -0.1, 0.02)], [(0.5, -0.1, 0.02)])
    np.testing.assert_array_equal(Oracle("cube-single").act(facts), np.zeros(5))


def test_a_copy_goes_its_own_way():
    oracle = Oracle("cube-single")
    oracle.act(FACTS)
    twin = copy.copy(oracle)
    for _ in range(STUCK + 2):
        twin.act(FACTS)
    assert oracle.subgoal is not None
    assert twin.subgoal is None  # it hangs, and backs off


def test_a_reset_forgets_the_subgoal():
    oracle = Oracle("cube-single")
    first = oracle.act(FACTS)
    oracle.reset()
    assert oracle.subgoal is None
    np.testing.assert_array_equal(oracle.act(FACTS), first)


def test_the_next_button_is_one_that_leads_to_the_target():
    states, targets = np.zeros(9, int), np.zeros(9, int)
    targets[[0, 1, 3]] = 1  # what pressing the corner does
    tops = np.array([[0.325 + 0.1 * row, -0.1 + 0.1 * column, 0.12] for row in range(3) for column in range(3)])
    facts = FACTS | {"button_states": states, "button_targets": targets, "button_tops": tops}
    assert next_subgoal("puzzle-3x3", facts) == ("button", 0, (1.0,), 0.0, 0.0)


@pytest.mark.parametrize("wrong", [{"family": "cube-singel"}, {"family": "scene", "style": "markow"}])
def test_unknown_names_are_refused(wrong):
    with pytest.raises(ArgumentError, match="did you mean"):
        Oracle(**wrong)
