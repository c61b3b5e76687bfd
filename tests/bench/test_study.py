import pytest
from fake_study import cells, fake_study

from chunkenv.errors import ArgumentError

BAD = {
    "no episodes": ({"episodes": 0}, "episodes=0 is too small"),
    "negative episodes": ({"episodes": -1}, "episodes=-1 is too small"),
    "fractional episodes": ({"episodes": 2.5}, "episodes=2.5 is not a whole number"),
    "negative seed": ({"seed": -1}, "seed=-1 is too small"),
    "seed as text": ({"seed": "zero"}, "seed='zero' is not a whole number"),
    "huge seed": ({"seed": 2**63}, "seed=9223372036854775808 is too large"),
    "no cells": ({"cells": ()}, "'fake' has no cells"),
    "a cell twice": ({"cells": cells() + cells()[:1]}, "names a cell twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_studies(case):
    changes, sentence = BAD[case]
    with pytest.raises(ArgumentError, match=sentence):
        fake_study(**changes)


def test_units_cover_every_cell_and_episode_once():
    units = fake_study(episodes=3).units
    assert len(units) == len(set(units)) == 3 * len(cells())


def test_a_unit_says_what_it_is():
    unit = fake_study().units[0]
    assert str(unit) == "left, bold, delay 0, execution horizon 2 of 4, episode 0"
