"""All words that the grammar knows: what a model of instructions has to be able to read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.words.grammar import WORDINGS, say_goal
from chunkenv.manipulation.words.predicates import predicate_names
from chunkenv.manipulation.words.word_goals import IN_DRAWER, LYING, PLACES, SLIDES, Wanted
from chunkenv.manipulation.words.worded_scenes import MOST_MOVES

ANSWERS = ("no", "yes")
"""To the question whether a sentence of `predicate_names` holds: false, true."""
UNNAMED = (123, 45, LYING + 7), (123, -45, 2 * LYING + LYING)
"""Places that are said in centimetres: to the left and high, to the right and at a level."""

CHANGED_BY_A_PRESS = 5
"""Buttons: the one that is pressed, and its neighbours."""


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """The words of all instructions, captions and answers, sorted; without digits and signs.

    >>> [word for word in vocabulary() if word.startswith("b")]
    ['base', 'be', 'blue', 'border', 'bring', 'button', 'by']
    """
    said = [sentence for name in FAMILY for sentence in simple_instructions(name)]
    captions = [caption for name in FAMILY for caption in predicate_names(name)]
    words = re.findall("[a-z]+", " ".join([*said, *captions]).lower())
    return tuple(sorted({*words, *ANSWERS, "and"}))  # "and" stands between clauses


def simple_instructions(family: str) -> list[str]:
    """Every instruction about one object of a family, in every wording; but for most places without a name.

    >>> len(simple_instructions("puzzle-3x3")), simple_instructions("puzzle-3x3")[0]
    (108, 'Turn the button in row 1 column 1 off.')
    """
    numbers = [number for split in WORDINGS.values() for number in split]
    return [say_goal(family, (one,), number) for one in _everything(FAMILY[family]) for number in numbers]


def most_clauses(family: str, goals: str) -> int:
    """How many objects an instruction may be about, where goals are "tasks", or "train" or "held-out".

    >>> most_clauses("scene", "tasks"), most_clauses("scene", "train"), most_clauses("puzzle-4x4", "train")
    (5, 2, 10)
    """
    kind = FAMILY[family]
    if goals == "tasks":
        return kind.goals
    return min(kind.goals, MOST_MOVES * (CHANGED_BY_A_PRESS if kind.scene == "puzzle" else 1))


def _everything(family: Family) -> Iterator[Wanted]:
    """All that can be wanted of one object, but for most places without a name."""
    places = [*((x, y, LYING) for x, y in PLACES), *UNNAMED, *[IN_DRAWER] * bool(family.slides)]
    yield from (Wanted("cube", number, place) for number in range(family.cubes) for place in places)
    yield from (Wanted("button", number, (state,)) for number in range(family.buttons) for state in (0, 1))
    yield from (Wanted(name, 0, (at,)) for name in list(SLIDES)[: family.slides] for at in (0, SLIDES[name]))
