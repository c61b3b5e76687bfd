"""All words that the grammar knows: what a model of instructions has to be able to read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.words.grammar import WORDINGS, say_goal
from chunkenv.manipulation.words.predicates import predicate_names
from chunkenv.manipulation.words.word_goals import IN_DRAWER, LYING, PLACES, SLIDES, Wanted

ANSWERS = ("no", "yes")
"""To the question whether a sentence of `predicate_names` holds: false, true."""
UNNAMED = (123, 45, LYING + 7), (123, -45, 2 * LYING + LYING)
"""Places that are said in centimetres: to the left and high, to the right and at a level."""


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """The words of all instructions, captions and answers, sorted; without digits and signs.

    >>> [word for word in vocabulary() if word.startswith("b")]
    ['base', 'be', 'blue', 'border', 'bring', 'button', 'by']
    """
    numbers = [number for split in WORDINGS.values() for number in split]
    said = [
        say_goal(name, (one,), wording)
        for name, family in FAMILY.items()
        for one in _everything(family)
        for wording in numbers
    ]
    captions = [caption for name in FAMILY for caption in predicate_names(name)]
    words = re.findall("[a-z]+", " ".join([*said, *captions]).lower())
    return tuple(sorted({*words, *ANSWERS, "and"}))  # "and" stands between clauses


def _everything(family: Family) -> Iterator[Wanted]:
    """All that can be wanted of one object, but for most places without a name."""
    places = [*((x, y, LYING) for x, y in PLACES), *UNNAMED, *[IN_DRAWER] * bool(family.slides)]
    yield from (Wanted("cube", number, place) for number in range(family.cubes) for place in places)
    yield from (Wanted("button", number, (state,)) for number in range(family.buttons) for state in (0, 1))
    yield from (Wanted(name, 0, (at,)) for name in list(SLIDES)[: family.slides] for at in (0, SLIDES[name]))
