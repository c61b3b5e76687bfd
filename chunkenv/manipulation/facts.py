"""What is where in a world: the privileged facts that an oracle plans from."""

from __future__ import annotations

import numpy as np

from chunkenv.manipulation.worlds import SceneWorld, World


def read_facts(world: World) -> dict[str, np.ndarray]:
    """The facts of a world, copies; `ManipulationEnv.facts` has the list."""
    info = world.compute_ob_info()
    facts = {
        "effector_pos": info["proprio/effector_pos"],
        "effector_yaw": info["proprio/effector_yaw"][0],
        "gripper_opening": info["proprio/gripper_opening"][0],
        "gripper_contact": info["proprio/gripper_contact"][0],
        "time": info["time"][0],
        "successes": world.successes(),
    }
    if world.family.cubes:
        facts |= _cubes(world, info)
    if world.family.buttons:
        facts |= _buttons(world)
    if isinstance(world, SceneWorld):
        facts |= _slides(world, info)
    return {name: np.array(value) for name, value in facts.items()}


def _cubes(world: World, info: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    cubes = range(world.family.cubes)
    return {
        "cube_pos": np.stack([info[f"privileged/block_{cube}_pos"] for cube in cubes]),
        "cube_quat": np.stack([info[f"privileged/block_{cube}_quat"] for cube in cubes]),
        "cube_yaw": np.concatenate([info[f"privileged/block_{cube}_yaw"] for cube in cubes]),
        "cube_targets": world.data.mocap_pos[world._cube_target_mocap_ids],
    }


def _buttons(world: World) -> dict[str, np.ndarray]:
    data, names = world.data, [f"buttonbox_joint_{button}" for button in range(world.family.buttons)]
    return {
        "button_states": world._cur_button_states,
        "button_targets": world._target_button_states,
        "button_pos": np.concatenate([data.joint(name).qpos for name in names]),
        "button_tops": data.site_xpos[world._button_site_ids],
    }


def _slides(world: SceneWorld, info: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    facts = {}
    for name, site in (("drawer", world._drawer_target_site_id), ("window", world._window_target_site_id)):
        facts[f"{name}_pos"] = info[f"privileged/{name}_pos"][0]
        facts[f"{name}_target"] = getattr(world, f"_target_{name}_pos")
        facts[f"{name}_handle"] = info[f"privileged/{name}_handle_pos"]
        facts[f"{name}_handle_yaw"] = info[f"privileged/{name}_handle_yaw"][0]
        facts[f"{name}_handle_target"] = world.data.site_xpos[site]
    return facts
