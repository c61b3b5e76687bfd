"""What to do next in the scene with a cube, a drawer, a window, and the buttons that lock these two."""

from __future__ import annotations

import numpy as np

from chunkenv.manipulation.oracles.cubes import nearest_turn, next_cube, plan_grasp
from chunkenv.manipulation.oracles.subgoal import SLID, Facts, SubGoal, distance, reached

LOCK = {"drawer": 0, "window": 1}
"""Which button unlocks what: state 1 is open."""
OPEN = -0.16
"""The drawer's position when it is open, m."""
WIDE = -0.12
"""Open wide enough to put a cube in."""
SHUT_AT_Y = -0.3
"""A target behind this is inside the closed drawer."""
INTO_DRAWER = (0.33, -0.22, 0.066)
"""Where a cube is let go above the open drawer: near its front, which pushes the cube along as the drawer shuts."""


def next_in_scene(facts: Facts) -> SubGoal | None:
    """The next thing to do; None when the whole scene is as it should be.

    The cube goes into the drawer, or out of it, first. On the table it comes before the drawer where that is to
    be opened, because the open one leaves the gripper no room, and after drawer and window else, because the gripper
    may push it there. Each is unlocked where it must be; the buttons are set last.

    Args:
        facts: of a scene.
    """
    if _belongs_in_drawer(facts) != is_in_drawer(facts):
        return _open(facts) or (into_drawer(facts) if _belongs_in_drawer(facts) else out_of_drawer(facts))
    cube, slide = _cube(facts), _slide(facts)
    if cube is not None and (slide is None or _opens(facts)):
        return cube
    return slide or _button(facts)


def _slide(facts: Facts) -> SubGoal | None:
    """What drawer or window needs."""
    subgoals = [SubGoal(name, 0, (float(facts[f"{name}_target"]),)) for name in LOCK]
    missing = [subgoal for subgoal in subgoals if not reached(subgoal, facts)]
    return _unlock_first(facts, missing[0]) if missing else None


def _opens(facts: Facts) -> bool:
    return float(facts["drawer_target"]) < float(facts["drawer_position"]) - SLID


def _open(facts: Facts) -> SubGoal | None:
    subgoal = SubGoal("drawer", 0, (OPEN,))
    return None if float(facts["drawer_position"]) <= WIDE else _unlock_first(facts, subgoal)


def into_drawer(facts: Facts) -> SubGoal:
    """Put the cube into the open drawer, the fingers along its front: across it they would hit that."""
    subgoal = plan_grasp(facts, 0, INTO_DRAWER)
    return subgoal._replace(release=float(nearest_turn(np.pi / 2, subgoal.release, of=2)))


def out_of_drawer(facts: Facts) -> SubGoal:
    """Take the cube out of the open drawer to its target, the fingers as when it went in."""
    target = tuple(facts["cube_targets"][0].tolist())
    subgoal = plan_grasp(facts, 0, target)
    yaw = float(facts["cube_yaws"][0])
    return subgoal._replace(grasp=float(nearest_turn(yaw, np.pi / 2)) - yaw)


def _unlock_first(facts: Facts, subgoal: SubGoal) -> SubGoal:
    """The subgoal, or what must be done before it: pressing the button that unlocks it."""
    lock = LOCK[subgoal.kind]
    return subgoal if facts["button_states"][lock] else SubGoal("button", lock, (1.0,))


def _cube(facts: Facts) -> SubGoal | None:
    return None if _belongs_in_drawer(facts) else next_cube(facts)


def _button(facts: Facts) -> SubGoal | None:
    wrong = np.flatnonzero(facts["button_states"] != facts["button_targets"])
    if not len(wrong):
        return None
    tops, here = facts["button_tops"], facts["effector_position"]
    button = int(min(wrong, key=lambda button: distance(tops[button], here)))
    return SubGoal("button", button, (float(facts["button_targets"][button]),))


def _belongs_in_drawer(facts: Facts) -> bool:
    return bool(facts["cube_targets"][0][1] < SHUT_AT_Y)


def is_in_drawer(facts: Facts) -> bool:
    """Whether the cube lies in the drawer, wherever the drawer is."""
    x, y, z = facts["cube_positions"][0]
    handle_y = float(facts["drawer_handle"][1])
    return 0.22 <= x <= 0.44 and handle_y - 0.26 <= y <= handle_y - 0.08 and 0.05 <= z <= 0.12
