"""What is where in a world: the privileged facts that an oracle plans from."""

from __future__ import annotations

from typing import Any

import numpy as np

from chunkenv.manipulation.engine.units import CLOSED, FULL_CONTACT
from chunkenv.manipulation.scene.worlds import SceneWorld, World


def read_facts(world: World) -> dict[str, Any]:
    """The facts of a world, copies; `ManipulationEnv.facts` has the list."""
    data, pinch = world.data, world._pinch_site_id
    pose = data.site_xmat[pinch]
    facts = {
        "joint_positions": data.qpos[world._arm_joint_ids],
        "effector_position": data.site_xpos[pinch].copy(),
        "effector_yaw": float(np.arctan2(pose[3], pose[0])),
        "gripper_opening": float(np.clip(data.qpos[world._gripper_opening_joint_id] / CLOSED, 0, 1)),
        "gripper_contact": float(min(np.linalg.norm(data.cfrc_ext[world.pad_body]) / FULL_CONTACT, 1.0)),
        "time": data.time,
        "successes": world.successes(),
    }
    if world.family.cubes:
        facts |= _cubes(world)
    if world.family.buttons:
        facts |= _buttons(world)
    if isinstance(world, SceneWorld):
        facts |= _slide(world, "drawer", world._drawer_site_id) | _slide(world, "window", world._window_site_id)
    return facts


def _cubes(world: World) -> dict[str, np.ndarray]:
    poses = world.data.qpos[world.cube_addresses]
    w, x, y, z = poses[:, 3:].T
    return {
        "cube_positions": poses[:, :3].copy(),
        "cube_quats": poses[:, 3:].copy(),
        "cube_yaws": np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
        "cube_targets": world.data.mocap_pos[world._cube_target_mocap_ids],
    }


def _buttons(world: World) -> dict[str, np.ndarray]:
    return {
        "button_states": world._cur_button_states.copy(),
        "button_targets": world._target_button_states.copy(),
        "button_positions": world.data.qpos[world.button_addresses],
        "button_tops": world.data.site_xpos[world._button_site_ids],
    }


def _slide(world: SceneWorld, name: str, handle: int) -> dict[str, Any]:
    pose = world.data.site_xmat[handle]
    return {
        f"{name}_position": float(world.data.joint(f"{name}_slide").qpos[0]),
        f"{name}_target": float(getattr(world, f"_target_{name}_pos")),
        f"{name}_handle": world.data.site_xpos[handle].copy(),
        f"{name}_handle_yaw": float(np.arctan2(pose[3], pose[0])),
    }
