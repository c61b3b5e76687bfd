"""Goals as vectors."""

import numpy as np
import pytest

from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.goals import agreement, desired_objects, objects_of
from chunkenv.manipulation.scene.worlds import open_world
from tests.manipulation.shared import EVERY_DAY


@pytest.fixture(params=EVERY_DAY)
def world(request):
    world = open_world(request.param)
    world.begin(np.random.default_rng(0), 3, permute=False)
    return world


def test_objects_are_those_of_ogbench(world):
    features = world.compute_observation()
    np.testing.assert_allclose(objects_of(world.family, features), world.compute_oracle_observation(), atol=1e-12)
    many = objects_of(world.family, np.stack([features, features]))
    np.testing.assert_array_equal(many[1], objects_of(world.family, features))


def test_the_goal_scene_agrees_with_what_is_wanted(world):
    reached = objects_of(world.family, world._cur_goal_ob)
    assert agreement(world.family, reached, desired_objects(world)).all()


def test_agreement_is_success(world):
    now = agreement(world.family, objects_of(world.family, world.compute_observation()), desired_objects(world))
    np.testing.assert_array_equal(now, world.successes())


def test_every_goal_counts_alone():
    family = FAMILY["scene"]  # a cube, two buttons, drawer and window
    goal = np.zeros(family.objects)
    for place, at_limit, holds in [(0, 0.39, 0), (2, 0.39, 0), (3, 0.4, 1), (4, 0.4, 2), (5, 0.71, 3), (6, 0.59, 4)]:
        near, far = goal.copy(), goal.copy()
        near[place], far[place] = at_limit, 2 * at_limit
        assert agreement(family, near, goal).all()
        assert agreement(family, far, goal).tolist() == [k != holds for k in range(family.goals)]
