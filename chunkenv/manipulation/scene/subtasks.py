"""Starts and goals by how much lies between them: buttons to press, or cubes to move.

The tasks of ogbench (Park et al., arXiv 2410.20092) are five a family. To see how success falls with the length of a
task, as in horizon reduction (Park et al. 2025, arXiv 2506.04168), starts and goals are drawn with any number of
sub-tasks between them.
"""

from __future__ import annotations

import itertools

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.families import Family
from chunkenv.manipulation.oracles.lights_out import press, presses
from chunkenv.utils.checks import whole_number

CELLS = np.array([*itertools.product((0.325, 0.425, 0.525), (-0.25, -0.15, -0.05, 0.05, 0.15, 0.25))])
"""Where cubes may be or go: x and y of cells 0.1 m apart, all of them well within the gripper's reach."""
JITTER = 0.01
"""How far from the middle of its cell a cube is put, in m: there is always room for the gripper."""
HEIGHT = 0.02
"""Of the centre of a cube that lies on the table, in m."""
MOST_PRESSES = {"3x3": 9, "4x4": 7, "4x5": 20, "4x6": 24}
"""The most presses that any goal needs: all buttons, but on the 4x4 board, where presses can replace one another."""

Scene = dict[str, np.ndarray]
"""A start and a goal, as ogbench describes its tasks."""


def draw_scene(family: Family, subtasks: object, rng: np.random.Generator) -> Scene:
    """A start and a goal with so many sub-tasks between them, no fewer and no more.

    Args:
        family: with buttons or cubes.
        subtasks: in puzzles the presses of the shortest solution; with cubes how many have to be moved, each to a free
            place on the table.
        rng: what both are drawn from.

    Raises:
        ArgumentError: the family has no such goals.
    """
    if family.scene == "scene":
        raise ArgumentError(
            f"subtasks={subtasks!r}: the parts of the family 'scene' lock one another and are not counted; choose a "
            "family of cubes or buttons, or options={'task': 3}."
        )
    most = family.cubes if family.scene == "cube" else MOST_PRESSES[family.variant]
    count = whole_number("subtasks", subtasks, at_least=1)
    if count > most:
        raise ArgumentError(f"subtasks={count} is too much: {family.name} has goals with 1 to {most} between.")
    return _draw_places(family, count, rng) if family.scene == "cube" else _draw_boards(family, count, rng)


def _draw_places(family: Family, count: int, rng: np.random.Generator) -> Scene:
    cells = rng.choice(len(CELLS), family.cubes + count, replace=False)
    places = np.full((len(cells), 3), HEIGHT)
    places[:, :2] = CELLS[cells] + rng.uniform(-JITTER, JITTER, (len(cells), 2))
    start, free = places[: family.cubes], places[family.cubes :]
    return {"init_xyzs": start, "goal_xyzs": np.concatenate([free, start[count:]])}


def _draw_boards(family: Family, count: int, rng: np.random.Generator) -> Scene:
    """Boards that differ by `count` presses; where fewer would do, too, others are drawn."""
    shape = tuple(int(side) for side in family.variant.split("x"))
    while True:
        start = rng.integers(2, size=shape)
        goal = press(start, rng.choice(family.buttons, count, replace=False))
        if len(presses(start, goal)[0]) == count:
            return {"init_button_states": start.ravel(), "goal_button_states": goal.ravel()}
