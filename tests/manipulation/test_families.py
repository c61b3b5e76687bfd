"""The families as the package lists them and as they are."""

import subprocess
import sys

import gymnasium
import pytest

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.manipulation import FAMILIES
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.state import state_layout
from chunkenv.manipulation.scene.worlds import open_world
from tests.manipulation.shared import in_families


def test_sixty_ids():
    ids = [name for name in gymnasium.registry if name.startswith("chunkenv/manip-")]
    assert len(ids) == 60
    assert len(FAMILIES) == 10


def test_time_limits_are_ogbench_s():
    pytest.importorskip("ogbench")
    for name, family in FAMILY.items():
        for theirs in (f"{name}-v0", f"{name}-singletask-task1-v0"):
            assert gymnasium.spec(theirs).max_episode_steps == family.time_limit


@in_families(1, 1)
def test_the_counts_are_those_of_the_scene(family, ticks):
    world, listed = open_world(family), FAMILY[family]
    world.begin(world.np_random, 1, permute=False)
    assert len(world.successes()) == listed.goals
    assert world.compute_observation().shape == (listed.features,)
    assert world.compute_oracle_observation().shape == (listed.objects,)
    assert len(world.task_infos) == 5
    assert state_layout(world).goal.stop - state_layout(world).goal.start == listed.features


def test_listing_the_tasks_loads_neither_physics_nor_scenes():
    code = "import sys, chunkenv.manipulation; print({'mujoco', 'ogbench', 'dm_control', 'numba'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
