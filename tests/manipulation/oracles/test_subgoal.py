"""When a sub-goal is reached."""

import numpy as np
import pytest

from chunkenv.manipulation.oracles.subgoal import SubGoal, distance, reached
from tests.manipulation.oracles.scenes import cubes, scene

PLACE = (0.4, 0.1, 0.02)
SCENE = scene(PLACE, PLACE, (0, 1), (0, 1), -0.1, 0.0, 0.2, 0.2)


@pytest.mark.parametrize(("off", "there"), [(0.0, True), (0.024, True), (0.026, False)])
def test_a_cube_is_there_within_25_millimetres_in_any_direction(off, there):
    for axis in np.eye(3):
        assert reached(SubGoal("cube", 1, PLACE), cubes([(0, 0, 0), PLACE + off * axis], np.zeros((2, 3)))) == there


def test_a_button_is_there_in_its_state_and_a_slide_within_20_millimetres():
    assert reached(SubGoal("button", 1, (1.0,)), SCENE)
    assert not reached(SubGoal("button", 0, (1.0,)), SCENE)
    assert reached(SubGoal("drawer", 0, (-0.119,)), SCENE)
    assert not reached(SubGoal("drawer", 0, (-0.121,)), SCENE)
    assert not reached(SubGoal("window", 0, (0.0,)), SCENE)


def test_the_distance_is_euclidean():
    assert distance((1, 2, 3), np.array([1, 5, 7])) == 5
