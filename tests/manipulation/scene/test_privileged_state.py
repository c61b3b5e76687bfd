"""What oracles are told is what ogbench tells its own."""

import numpy as np
import pytest

from chunkenv.manipulation.env import ManipulationEnv
from tests.manipulation.driving import Driver
from tests.manipulation.shared import EVERY_DAY


def as_ogbench_has_them(world):
    info = world.compute_ob_info()
    facts = {
        "joint_positions": info["proprio/joint_pos"],
        "effector_position": info["proprio/effector_pos"],
        "effector_yaw": info["proprio/effector_yaw"][0],
        "gripper_opening": info["proprio/gripper_opening"][0],
        "gripper_contact": info["proprio/gripper_contact"][0],
        "time": info["time"][0],
        "successes": world.successes(),
    }
    cubes, buttons = range(world.family.cubes), range(world.family.buttons)
    if cubes:
        facts["cube_positions"] = [info[f"privileged/block_{i}_pos"] for i in cubes]
        facts["cube_quats"] = [info[f"privileged/block_{i}_quat"] for i in cubes]
        facts["cube_yaws"] = [info[f"privileged/block_{i}_yaw"][0] for i in cubes]
        facts["cube_targets"] = [world.data.body(f"object_target_{i}").xpos for i in cubes]
    if buttons:
        facts["button_states"] = info["button_states"]
        facts["button_targets"] = world._target_button_states
        facts["button_positions"] = [info[f"privileged/button_{i}_pos"][0] for i in buttons]
        facts["button_tops"] = [world.data.site(f"btntop_{i}").xpos for i in buttons]
    for slide in ("drawer", "window") if world.family.slides else ():
        facts[f"{slide}_position"] = info[f"privileged/{slide}_pos"][0]
        facts[f"{slide}_target"] = getattr(world, f"_target_{slide}_pos")
        facts[f"{slide}_handle"] = info[f"privileged/{slide}_handle_pos"]
        facts[f"{slide}_handle_yaw"] = info[f"privileged/{slide}_handle_yaw"][0]
    return facts


@pytest.mark.parametrize("family", EVERY_DAY)
def test_facts(family):
    env = ManipulationEnv(family, 3)
    env.reset(seed=0)
    driver = Driver(0)
    for _ in range(40):
        facts, theirs = env.facts(), as_ogbench_has_them(env.world)
        assert facts.keys() == theirs.keys()
        for name, value in facts.items():
            np.testing.assert_allclose(value, theirs[name], atol=1e-7, err_msg=name)
        env.step(driver.act(facts))


def test_facts_are_copies():
    env = ManipulationEnv("scene", 3)
    env.reset(seed=0)
    before = env.get_state()
    for value in env.facts().values():
        if isinstance(value, np.ndarray):
            value[:] = 0
    np.testing.assert_array_equal(env.get_state(), before)
    assert env.facts()["effector_position"].any()
