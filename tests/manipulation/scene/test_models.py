"""The models without what is only seen."""

import numpy as np
import pytest

from chunkenv.manipulation import FAMILIES
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from tests.manipulation.driving import Driver


@pytest.mark.parametrize(
    ("family", "ticks"),
    [("scene", 120), *(pytest.param(family, 500, marks=pytest.mark.slow) for family in FAMILIES)],
)
def test_the_light_model_moves_as_the_whole_one_to_the_bit(family, ticks):
    light, whole = ManipulationEnv(family, 2), ManipulationEnv(family, 2, render_mode="rgb_array")
    light.reset(seed=0)
    whole.reset(seed=0)
    driver = Driver(0)
    for _ in range(ticks):
        action = driver.act(light.facts())
        if light.step(action)[2] | whole.step(action)[2]:
            light.reset(seed=1)
            whole.reset(seed=1)
        np.testing.assert_array_equal(light.get_state(), whole.get_state())


def test_the_light_model_is_light():
    light, whole = (ManipulationEnv("scene", 1, render_mode=mode).world.model for mode in (None, "rgb_array"))
    assert mujoco.mj_sizeModel(light) < 15e6 < 60e6 < mujoco.mj_sizeModel(whole)


@pytest.mark.parametrize("family", ["cube-double", "puzzle-3x3"])
def test_what_is_never_written_to_is_shared(family):
    one, other = ManipulationEnv(family, 1).world, ManipulationEnv(family, 2).world
    assert one.model is other.model
    assert one.data is not other.data
    assert one._ik is not other._ik
    assert one._ik._model is other._ik._model


def test_a_locked_drawer_is_locked_in_its_own_scene_only():
    locked, open_ = ManipulationEnv("scene", 2), ManipulationEnv("scene", 1)
    locked.reset(seed=0)
    open_.reset(seed=0)
    dampings = [env.world.model.joint("drawer_slide").damping[0] for env in (locked, open_)]
    assert dampings == [1e6, 2.0]
