"""Facts without physics, and a hand that does sub-goals at once: what the order of sub-goals is tested on."""

import numpy as np

from chunkenv.manipulation.oracles.locks import LOCK, is_in_drawer

DRAWER_SHUT_HANDLE_Y = -0.24


def arm():
    """A gripper above the middle of the table."""
    return {
        "effector_position": np.array([0.4, 0.0, 0.3]),
        "effector_yaw": 0.0,
        "gripper_opening": 0.0,
        "gripper_contact": 0.0,
        "joint_positions": np.zeros(6),
    }


def cubes(positions, targets, yaws=None):
    positions = np.array(positions, float)
    yaws = np.zeros(len(positions)) if yaws is None else np.array(yaws, float)
    return arm() | {"cube_positions": positions, "cube_yaws": yaws, "cube_targets": np.array(targets, float)}


def scene(cube, cube_target, buttons, button_targets, drawer, drawer_target, window, window_target):
    return cubes([cube], [cube_target]) | {
        "button_states": np.array(buttons),
        "button_targets": np.array(button_targets),
        "button_tops": np.array([[0.58, -0.05, 0.12], [0.58, 0.05, 0.12]]),
        "drawer_position": drawer,
        "drawer_target": drawer_target,
        "drawer_handle": np.array([0.33, DRAWER_SHUT_HANDLE_Y - drawer, 0.08]),
        "drawer_handle_yaw": 3.14,
        "window_position": window,
        "window_target": window_target,
        "window_handle": np.array([0.286 + window, 0.225, 0.237]),
        "window_handle_yaw": 1.57,
    }


def done(facts, goal):
    """The facts after a sub-goal, if the world did at once what it is told; a lock that is shut holds."""
    facts = {name: np.copy(value) for name, value in facts.items()}
    if goal.kind == "cube":
        facts["cube_positions"][goal.index] = goal.target
    elif goal.kind == "button":
        facts["button_states"][goal.index] = goal.target[0]
    elif facts["button_states"][LOCK[goal.kind]]:
        _slid(facts, goal)
    return facts


def _slid(facts, goal):
    way = goal.target[0] - facts[f"{goal.kind}_position"]
    if goal.kind == "drawer":
        if is_in_drawer(facts):
            facts["cube_positions"][0, 1] -= way
        facts["drawer_handle"][1] -= way
    facts[f"{goal.kind}_position"] = facts[f"{goal.kind}_position"] + way
