"""Random sub-goals: all kinds come, and only what can be tried."""

from collections import Counter

import numpy as np
import pytest

from chunkenv.manipulation.oracles.cubes import EDGE
from chunkenv.manipulation.oracles.locks import INTO_DRAWER, OPEN
from chunkenv.manipulation.oracles.random_subgoals import AREAS, random_subgoal
from tests.manipulation.oracles.scenes import cubes, scene

STACKED = cubes([(0.4, 0.0, 0.02), (0.4, 0.0, 0.06), (0.5, 0.2, 0.02)], np.zeros((3, 3)))
TABLE = (0.35, 0.05, 0.02)


def draw(family, facts, count=300):
    rng = np.random.default_rng(0)
    return [random_subgoal(family, facts, rng) for _ in range(count)]


def test_no_cube_is_pulled_from_under_another():
    assert {goal.index for goal in draw("cube-triple", STACKED)} == {1, 2}


def test_cubes_go_on_top_of_others_and_to_free_places_on_the_table():
    goals = draw("cube-triple", STACKED)
    on_table = np.array([goal.target for goal in goals if goal.target[2] == EDGE / 2])
    on_top = [goal.target for goal in goals if goal.target[2] != EDGE / 2]
    assert 0.4 < len(on_top) / len(goals) < 0.6
    assert {(goal.index, goal.target) for goal in goals if goal.target in on_top} == {
        (1, (0.5, 0.2, 0.06)),
        (2, (0.4, 0.0, 0.1)),
    }
    low, high = AREAS["cube"]
    assert np.all((on_table[:, :2] >= low) & (on_table[:, :2] <= high))
    assert np.hypot(*(on_table[:, :2] - (0.4, 0.0)).T).min() > EDGE


def test_a_button_is_asked_for_the_state_that_it_has_not():
    facts = STACKED | {"button_states": np.array([0, 1] * 8)}
    goals = draw("puzzle-4x4", facts)
    assert {(goal.index, goal.target) for goal in goals} == {(k, (float(k % 2 == 0),)) for k in range(16)}


@pytest.mark.parametrize("unlocked", [0, 1])
def test_all_kinds_come_in_a_scene_locked_ones_more_rarely(unlocked):
    facts = scene(TABLE, TABLE, (unlocked,) * 2, (0, 0), 0.0, 0.0, 0.2, 0.0)
    goals = draw("scene", facts)
    share = {kind: count / len(goals) for kind, count in Counter(goal.kind for goal in goals).items()}
    assert share["drawer"] == pytest.approx(0.25 if unlocked else 0.1, abs=0.06)
    assert {goal.target for goal in goals if goal.kind == "drawer"} == {(OPEN,)}
    assert {goal.target for goal in goals if goal.kind == "window"} == {(0.0,)}


def test_an_open_drawer_gets_the_cube_at_times_and_keeps_it():
    open_drawer = dict(buttons=(1, 1), button_targets=(0, 0), drawer=OPEN, drawer_target=0.0)
    rest = dict(window=0.0, window_target=0.0)
    outside = draw("scene", scene(TABLE, TABLE, **open_drawer, **rest))
    inside = draw("scene", scene(INTO_DRAWER, TABLE, **open_drawer, **rest))
    assert INTO_DRAWER in {goal.target for goal in outside}
    assert "cube" not in {goal.kind for goal in inside}
