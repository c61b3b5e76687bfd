"""A sub-goal: one thing to do with one object, and how to tell that it is done."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Facts = dict[str, Any]
"""What `ManipulationEnv.facts()` returns: poses, targets and states by name, positions in m, angles in radians."""

PLACED = 0.025
"""A cube is where it should be within this distance in m; success asks for .04, what is stacked on it for more."""
SLID = 0.02
"""The same of drawer and window; success asks for .04."""


class SubGoal(NamedTuple):
    """What one of ogbench's scripted primitives does.

    Attributes:
        kind: 'cube', 'button', 'drawer' or 'window'.
        index: which cube or button; 0 for drawer and window.
        target: where the cube's centre shall be (m), the state that the button shall have, or the slide's position (m).
        grasp: the gripper's angle relative to a cube that it holds, in radians: a multiple of pi / 2.
        release: the gripper's angle when it lets the cube go.
    """

    kind: str
    index: int  # pyright: ignore[reportIncompatibleMethodOverride] (no tuple is searched)
    target: tuple[float, ...]
    grasp: float = 0.0
    release: float = 0.0


def reached(subgoal: SubGoal, facts: Facts) -> bool:
    """Whether the object is as the sub-goal wants it; the gripper may still hold it."""
    if subgoal.kind == "cube":
        return distance(facts["cube_positions"][subgoal.index], subgoal.target) <= PLACED
    if subgoal.kind == "button":
        return int(facts["button_states"][subgoal.index]) == int(subgoal.target[0])
    return abs(float(facts[f"{subgoal.kind}_position"]) - subgoal.target[0]) <= SLID


def distance(here: np.ndarray | tuple[float, ...], there: np.ndarray | tuple[float, ...]) -> float:
    """Euclidean, of two short vectors: numpy's norm takes ten times as long."""
    return sum((a - b) ** 2 for a, b in zip(here, there, strict=True)) ** 0.5
