"""Starts and goals that instructions are about: drawn, or as a sentence asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from chunkenv.manipulation.families import Family
from chunkenv.manipulation.oracles.lights_out import press
from chunkenv.manipulation.words.word_goals import (
    IN_DRAWER,
    LYING,
    PLACES,
    SLIDES,
    Wanted,
    WordGoal,
    is_held_out,
)

MOST_MOVES = 2
"""So many cubes are moved, buttons pressed or parts of a scene changed at most."""
IN_REACH = tuple((x, y) for x, y in PLACES if x < 500 and 0 <= y <= 100)
"""The places of the family "scene" that neither drawer nor window nor buttons take."""

TaskInfo = dict[str, Any]
"""A start and a goal, as ogbench describes a task."""
Start = TaskInfo
"""Where things are, by the names of `Wanted`: "cubes" int[n, 3] in mm, "buttons" int[n], "drawer", "window" in mm."""


def draw_worded_scene(family: Family, split: str, rng: np.random.Generator) -> TaskInfo:
    """A start and a goal whose combinations belong to a split, as ogbench describes its tasks.

    Args:
        family: of the scene.
        split: "train", without held-out combinations, or "held-out", with at least one; see `is_held_out`.
        rng: what both are drawn from.
    """
    while True:
        start = _draw_start(family, rng)
        goal = _draw_goal(family, start, rng)
        held_out = any(is_held_out(family, one) for one in goal)
        if goal and held_out == (split == "held-out"):
            return as_task(family, start, goal)


def asked_scene(family: Family, goal: WordGoal, rng: np.random.Generator) -> TaskInfo:
    """A start drawn at random and the goal that was asked for; no cube lies where one is wanted."""
    while True:
        start = _draw_start(family, rng)
        wanted = [one.value[:2] for one in goal if one.kind == "cube"]
        if not any(tuple(cube[:2]) in wanted for cube in start["cubes"].tolist()):
            return as_task(family, start, goal)


def as_task(family: Family, start: Start, goal: WordGoal) -> TaskInfo:
    """A start, and what of it is to change, as ogbench describes a task of the family."""
    end: Start = {name: np.copy(value) for name, value in start.items()}
    for kind, number, value in goal:
        if kind in SLIDES:
            end[kind] = np.array(value[0])
        else:
            end[f"{kind}s"][number] = value if kind == "cube" else value[0]
    if family.scene == "cube":
        return {"init_xyzs": start["cubes"] / 1000, "goal_xyzs": end["cubes"] / 1000}
    if family.scene == "puzzle":
        return {"init_button_states": start["buttons"], "goal_button_states": end["buttons"]}
    return {"init": _describe(start), "goal": _describe(end)}


def _describe(things: Start) -> TaskInfo:
    slides = {f"{name}_pos": float(things[name]) / 1000 for name in SLIDES}
    return {"block_xyzs": things["cubes"] / 1000, "button_states": things["buttons"], **slides}


def _draw_start(family: Family, rng: np.random.Generator) -> Start:
    known = PLACES if family.scene == "cube" else IN_REACH
    cells = rng.choice(len(known), family.cubes, replace=False)
    cubes = np.array([(*known[cell], LYING) for cell in cells], int).reshape(-1, 3)
    slides = {name: np.array(opened * rng.integers(2)) for name, opened in SLIDES.items()} if family.slides else {}
    return {"cubes": cubes, "buttons": rng.integers(2, size=family.buttons), **slides}


def _draw_goal(family: Family, start: Start, rng: np.random.Generator) -> WordGoal:
    """What one or two moves change, of which none undoes the other."""
    moves = int(rng.integers(1, MOST_MOVES + 1))
    if family.scene == "puzzle":
        return _press(family, start, moves, rng)
    things = [("cube", number) for number in range(family.cubes)]
    things += [("button", number) for number in range(family.buttons)]
    things += [(name, 0) for name in list(SLIDES)[: family.slides]]
    chosen = sorted(rng.choice(len(things), min(moves, len(things)), replace=False).tolist())
    cells = _free_places(family, start, rng)
    picked = [things[index] for index in chosen]
    return tuple(Wanted(kind, number, _another(kind, number, start, cells)) for kind, number in picked)


def _another(kind: str, number: int, start: Start, cells: list[tuple[int, int, int]]) -> tuple[int, ...]:
    """Another value than a thing has at the start."""
    if kind == "cube":
        return cells.pop()
    if kind == "button":
        return (1 - int(start["buttons"][number]),)
    return (0 if start[kind] else SLIDES[kind],)


def _free_places(family: Family, start: Start, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """The places where no cube is, in random order."""
    known = PLACES if family.scene == "cube" else IN_REACH
    taken = {tuple(cube[:2]) for cube in start["cubes"].tolist()}
    free = [(*place, LYING) for place in known if place not in taken]
    if family.scene == "scene":
        free.append(IN_DRAWER)
    return [free[index] for index in rng.permutation(len(free))]


def _press(family: Family, start: Start, moves: int, rng: np.random.Generator) -> WordGoal:
    shape = tuple(int(side) for side in family.variant.split("x"))
    board = start["buttons"].reshape(shape)
    after = press(board, rng.choice(family.buttons, moves, replace=False)).ravel()
    changed = np.flatnonzero(after != start["buttons"]).tolist()
    return tuple(Wanted("button", number, (int(after[number]),)) for number in changed)
