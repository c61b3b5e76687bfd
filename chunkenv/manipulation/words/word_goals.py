"""What an instruction wants: some objects, each in a place or a state; all others are to stay as they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from chunkenv.manipulation.families import Family
from chunkenv.manipulation.oracles.subgoal import Facts

COLOURS = ("red", "blue", "orange", "green", "purple", "yellow", "magenta", "gray")
"""Of the cubes, in ogbench's order."""
ROWS, COLUMNS = (350, 425, 500), (200, 100, 0, -100, -200)
"""The places that have names: mm from the robot's base, and mm to its left."""
PLACES = tuple(itertools.product(ROWS, COLUMNS))
LYING, EDGE = 20, 40
"""Height of the centre of a cube that lies on the table, and the edge of a cube, in mm."""
IN_DRAWER = (330, -356, 66)
"""Where ogbench wants a cube that is in the closed drawer, in mm."""
SLIDES = {"drawer": -160, "window": 200}
"""Where drawer and window are when they are open, in mm; closed they are at 0."""
KINDS = ("cube", "button", "drawer", "window")
HELD_OUT = 5
"""One combination of this many is held out."""


class Wanted(NamedTuple):
    """One object as it is wanted.

    Attributes:
        kind: "cube", "button", "drawer" or "window".
        number: which cube or button; 0 for drawer and window.
        value: of a cube x, y and z in mm; of a button its state, 0 or 1; of drawer and window their position in mm.
    """

    kind: str
    number: int
    value: tuple[int, ...]


WordGoal = tuple[Wanted, ...]
"""At most one `Wanted` for each object: cubes first, then buttons, drawer and window."""


def open_goals(facts: Facts, everything: bool = False) -> WordGoal:
    """What is not yet as the targets of some facts want it; all of it, if there is nothing else.

    Args:
        facts: what `ManipulationEnv.facts()` says.
        everything: whether what is as wanted counts, too.
    """
    cubes = [Wanted("cube", number, _millimetres(place)) for number, place in enumerate(facts.get("cube_targets", ()))]
    buttons = [Wanted("button", number, (int(state),)) for number, state in enumerate(facts.get("button_targets", ()))]
    slides = [Wanted(name, 0, _millimetres([facts[f"{name}_target"]])) for name in SLIDES if f"{name}_target" in facts]
    wanted = (*cubes, *buttons, *slides)
    missing = tuple(one for one, holds in zip(wanted, facts["successes"], strict=True) if not holds)
    return wanted if everything or not missing else missing


def targets_of(goal: WordGoal, facts: Facts) -> Facts:
    """The targets of a goal, as `ManipulationEnv.facts()` has them: what it does not name is wanted as it is now."""
    targets: Facts = {}
    if "cube_positions" in facts:
        targets["cube_targets"] = facts["cube_positions"].copy()
    if "button_states" in facts:
        targets["button_targets"] = facts["button_states"].copy()
    targets |= {f"{name}_target": facts[f"{name}_position"] for name in SLIDES if f"{name}_position" in facts}
    for kind, number, value in goal:
        if kind == "cube":
            targets["cube_targets"][number] = np.array(value) / 1000
        elif kind == "button":
            targets["button_targets"][number] = value[0]
        else:
            targets[f"{kind}_target"] = value[0] / 1000
    return targets


def is_held_out(family: Family, wanted: Wanted) -> bool:
    """Whether a combination of a colour and a named place, or of a button and a state, is held out.

    One of five is, of the four places of the family "scene" one. Goals of the split "train" have none of them, those of
    "held-out" at least one.
    """
    if wanted.kind == "cube" and wanted.value[2] == LYING and wanted.value[:2] in PLACES:
        row, column = divmod(PLACES.index((wanted.value[0], wanted.value[1])), len(COLUMNS))
        return (wanted.number + 2 * row + column) % HELD_OUT == (family.scene == "scene")  # its four places give 1 to 4
    return wanted.kind == "button" and (2 * wanted.number + wanted.value[0]) % HELD_OUT == 0


def _millimetres(place: Iterable[float]) -> tuple[int, ...]:
    return tuple(round(1000 * float(number)) for number in place)
