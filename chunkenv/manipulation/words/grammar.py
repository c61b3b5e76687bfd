"""The grammar of instructions: goals into sentences, in several wordings, and sentences back into goals, exactly."""

from __future__ import annotations

import difflib
import functools
import itertools
import re

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.words.word_goals import (
    COLOURS,
    COLUMNS,
    EDGE,
    IN_DRAWER,
    KINDS,
    LYING,
    PLACES,
    ROWS,
    SLIDES,
    Wanted,
    WordGoal,
)
from chunkenv.registration import FAMILIES
from chunkenv.utils.checks import one_of

WORDINGS = {"train": (0, 1, 2, 3), "held-out": (4, 5)}
"""The numbers of the wordings of each split: those of "held-out" have verbs and places that the others do not."""

CUBE = ("put {}", "move {}", "place {}", "bring {}", "set {} down", "carry {}")
STATE = (
    ("turn {} {}", "switch {} {}", "make {} be {}", "set {} to {}", "{} should be {}", "get {} to be {}"),
    ("off", "on"),
)
SLIDE = (
    ("close {}", "shut {}", "push {} shut", "slide {} shut", "{} should be closed", "make sure that {} is closed"),
    ("open {}", "pull {} open", "slide {} open", "have {} open", "{} should be opened", "make sure that {} is open"),
)
DEPTHS = (
    ("near the robot", "in the middle", "away from the robot"),
    ("close to the base", "halfway out", "at the far edge"),
    ("within short reach", "at medium reach", "at long reach"),
)
SIDES = (
    ("far to the left", "to the left", "at the centre", "to the right", "far to the right"),
    ("on the far left", "on the left", "straight ahead", "on the right", "on the far right"),
    ("by the left border", "left of the midline", "on the midline", "right of the midline", "by the right border"),
)
PHRASINGS = (0, 1, 0, 1, 2, 2)
"""Which of the names of places a wording has."""
DRAWER = ("in the drawer", "into the drawer", "inside the drawer")
MOST_LETTERS = 1600
"""No instruction is longer."""


def say_goal(family: str, goal: WordGoal, wording: int = 0) -> str:
    """A goal as a sentence.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        goal: at least one object.
        wording: 0 to 5; see `WORDINGS`.

    >>> goal = (Wanted("cube", 1, (350, 100, 20)),)
    >>> say_goal("cube-double", goal)
    'Put the blue cube near the robot to the left.'
    >>> say_goal("cube-double", goal, wording=5)
    'Carry the blue cube within short reach left of the midline.'
    """
    clauses = [_clause(FAMILY[family], one, wording) for one in goal]
    text = " and ".join([", ".join(clauses[:-1]), clauses[-1]] if len(clauses) > 1 else clauses)
    return f"{text[0].upper()}{text[1:]}."


def parse_instruction(family: str, instruction: str) -> WordGoal:
    """The goal that a sentence says.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        instruction: clauses as `say_goal` says them, with commas or "and" between them; capitals do not count.

    Raises:
        ArgumentError: it is outside the grammar (the nearest sentence is suggested), or wants two things of one object.

    >>> parse_instruction("scene", "Open the drawer and put the red cube in the drawer.")
    (Wanted(kind='cube', number=0, value=(330, -356, 66)), Wanted(kind='drawer', number=0, value=(-160,)))
    """
    kind = FAMILY[one_of("family", family, FAMILIES)]
    if not isinstance(instruction, str):
        raise ArgumentError(f"instruction={instruction!r} is no text; give a sentence, such as {_example(kind)!r}.")
    clauses = re.split(r",? and |, ", instruction.strip().rstrip(".").lower())
    wanted = [_read_clause(kind, clause) for clause in clauses]
    if None in wanted:
        named, read = {one[:2] for one in wanted if one}, zip(clauses, wanted, strict=True)
        text = " and ".join(_nearest(kind, clause, named) if one is None else clause for clause, one in read)
        raise ArgumentError(
            f"instruction={instruction!r} is outside the grammar of {family}; did you mean "
            f"'{text[0].upper()}{text[1:]}.'?"
        )
    goal = sorted((one for one in wanted if one), key=lambda one: (KINDS.index(one.kind), one.number))
    for one, other in itertools.pairwise(goal):
        if one[:2] == other[:2]:
            raise ArgumentError(
                f"instruction={instruction!r} wants two things of {name_of(kind, one)}; say one of them."
            )
    return tuple(goal)


def _clause(family: Family, wanted: Wanted, wording: int) -> str:
    name = name_of(family, wanted)
    if wanted.kind == "cube":
        return f"{CUBE[wording].format(name)} {say_place(wanted.value, PHRASINGS[wording])}"
    if wanted.kind == "button":
        templates, states = STATE
        return templates[wording].format(name, states[wanted.value[0]])
    return SLIDE[wanted.value[0] != 0][wording].format(name)


def name_of(family: Family, wanted: Wanted) -> str:
    """An object in words."""
    if wanted.kind == "cube":
        return f"the {COLOURS[wanted.number]} cube"
    if wanted.kind != "button":
        return f"the {wanted.kind}"
    if family.scene == "scene":
        return f"the button of the {tuple(SLIDES)[wanted.number]}"
    row, column = divmod(wanted.number, int(family.variant[-1]))
    return f"the button in row {row + 1} column {column + 1}"


def say_place(value: tuple[int, ...], phrasing: int = 0) -> str:
    """A place in words, to the millimetre."""
    if value == IN_DRAWER:
        return DRAWER[phrasing]
    x, y, z = value
    level, rest = divmod(z - LYING, EDGE)
    height = "" if z == LYING else f" at level {level + 1}" if not rest else f" {z / 10:g} cm high"
    if (x, y) in PLACES:
        return f"{DEPTHS[phrasing][ROWS.index(x)]} {SIDES[phrasing][COLUMNS.index(y)]}{height}"
    return f"{x / 10:g} cm ahead {abs(y) / 10:g} cm {'left' if y >= 0 else 'right'}{height}"


def _read_clause(family: Family, clause: str) -> Wanted | None:
    """What a clause wants; None if it is outside the grammar."""
    for wording in range(len(CUBE)):
        for cube in range(family.cubes):
            start = CUBE[wording].format(f"the {COLOURS[cube]} cube")
            value = _read_place(clause[len(start) + 1 :], family) if clause.startswith(f"{start} ") else None
            if value is not None:
                return Wanted("cube", cube, value)
    return _plain_clauses(family).get(clause)


@functools.cache
def _plain_clauses(family: Family) -> dict[str, Wanted]:
    """All clauses about buttons, drawer and window, and what they want."""
    slides = [Wanted(name, 0, (at,)) for name, opened in SLIDES.items() for at in (0, opened)] if family.slides else []
    buttons = [Wanted("button", number, (state,)) for number in range(family.buttons) for state in (0, 1)]
    things = (*buttons, *slides)
    return {_clause(family, wanted, wording): wanted for wanted in things for wording in range(len(CUBE))}


def _read_place(text: str, family: Family) -> tuple[int, ...] | None:
    if text in DRAWER:
        return IN_DRAWER if family.slides else None
    found = re.fullmatch(r"(.*?)(?: at level (\d)| ([\d.]+) cm high)?", text)
    assert found
    ground, level, height = found.groups()
    z = LYING if not (level or height) else LYING + EDGE * (int(level) - 1) if level else _tenths(height)
    for phrasing, (x, y) in itertools.product(range(len(SIDES)), PLACES):
        if ground == f"{DEPTHS[phrasing][ROWS.index(x)]} {SIDES[phrasing][COLUMNS.index(y)]}":
            return x, y, z
    measured = re.fullmatch(r"(\d+(?:\.\d)?) cm ahead (\d+(?:\.\d)?) cm (left|right)", ground)
    if not measured:
        return None
    x, y = _tenths(measured[1]), _tenths(measured[2])
    return x, y if measured[3] == "left" else -y, z


def _tenths(centimetres: str) -> int:
    return round(10 * float(centimetres))


def _nearest(family: Family, clause: str, named: set[tuple[str, int]]) -> str:
    """The clause of the grammar that is most like another text, of an object that is not named yet."""
    places = [(x, y, LYING) for x, y in PLACES] + ([IN_DRAWER] if family.slides else [])
    cubes = [Wanted("cube", cube, place) for cube in range(family.cubes) for place in places]
    known = [(one, _clause(family, one, wording)) for one in cubes for wording in range(len(CUBE))]
    known += [(one, text) for text, one in _plain_clauses(family).items()]
    free = [text for one, text in known if one[:2] not in named] or [text for _, text in known]
    return difflib.get_close_matches(clause, free, n=1, cutoff=0.0)[0]


def _example(family: Family) -> str:
    wanted = Wanted("cube", 0, (*PLACES[0], LYING)) if family.cubes else Wanted("button", 0, (1,))
    return say_goal(family.name, (wanted,))
