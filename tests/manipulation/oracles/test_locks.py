"""The scene: locks are opened before what they lock is moved, and every goal is reached."""

import itertools

import numpy as np
import pytest

from chunkenv.manipulation.oracles.locks import INTO_DRAWER, LOCK, OPEN, next_in_scene
from tests.manipulation.oracles.scenes import done, scene

TABLE, ELSEWHERE, IN_DRAWER = (0.35, 0.05, 0.02), (0.4, 0.15, 0.02), (0.33, -0.356, 0.066)
BOTH = ((0, 0), (0, 1), (1, 0), (1, 1))


def order(facts):
    """The sub-goals until nothing is left, with what each left behind."""
    goals = []
    while (goal := next_in_scene(facts)) is not None:
        if goal.kind in LOCK:
            assert facts["button_states"][LOCK[goal.kind]] == 1, f"{goal} is locked"
        facts = done(facts, goal)
        goals.append(goal)
        assert len(goals) <= 12, goals
    return goals, facts


@pytest.mark.parametrize("cube_target", [TABLE, ELSEWHERE])
def test_every_goal_on_the_table_is_reached_from_every_start(cube_target):
    ends = ((0.0, OPEN), (0.0, 0.2))
    for buttons, wanted, drawer, window in itertools.product(BOTH, BOTH, *map(itertools.permutations, ends)):
        _, after = order(scene(TABLE, cube_target, buttons, wanted, *drawer, *window))
        np.testing.assert_array_equal(after["button_states"], wanted)
        assert (after["drawer_position"], after["window_position"]) == pytest.approx((drawer[1], window[1]))
        np.testing.assert_allclose(after["cube_positions"], [cube_target])


@pytest.mark.parametrize("buttons", BOTH)
def test_a_cube_goes_into_the_drawer_and_is_shut_in(buttons):
    goals, after = order(scene(TABLE, IN_DRAWER, buttons, (0, 0), 0.0, 0.0, 0.0, 0.2))
    kinds = [goal.kind for goal in goals]
    assert kinds.index("drawer") < kinds.index("cube") < len(kinds) - 1 - kinds[::-1].index("drawer")
    assert next(goal for goal in goals if goal.kind == "cube").target == INTO_DRAWER
    assert np.linalg.norm(after["cube_positions"][0] - IN_DRAWER) <= 0.04
    assert after["drawer_position"] == pytest.approx(0.0)
    np.testing.assert_array_equal(after["button_states"], [0, 0])


def test_in_the_drawer_the_fingers_lie_along_its_front():
    goals, _ = order(scene(TABLE, IN_DRAWER, (1, 1), (1, 1), OPEN, 0.0, 0.0, 0.0))
    assert abs(np.sin(goals[0].release)) == pytest.approx(1)


def test_a_cube_that_is_shut_in_is_taken_out():
    goals, after = order(scene(IN_DRAWER, TABLE, (0, 0), (0, 0), 0.0, 0.0, 0.0, 0.0))
    assert [goal.kind for goal in goals] == ["button", "drawer", "cube", "drawer", "button"]
    assert abs(np.sin(goals[2].grasp)) == pytest.approx(1)
    np.testing.assert_allclose(after["cube_positions"], [TABLE])


def test_the_cube_comes_before_a_drawer_that_opens_and_after_one_that_shuts():
    opens, _ = order(scene(TABLE, ELSEWHERE, (1, 1), (1, 1), 0.0, OPEN, 0.0, 0.0))
    shuts, _ = order(scene(TABLE, ELSEWHERE, (1, 1), (1, 1), OPEN, 0.0, 0.0, 0.0))
    assert [goal.kind for goal in opens] == ["cube", "drawer"]
    assert [goal.kind for goal in shuts] == ["drawer", "cube"]


def test_what_is_done_needs_nothing():
    assert next_in_scene(scene(TABLE, TABLE, (0, 1), (0, 1), 0.0, 0.0, 0.2, 0.2)) is None
