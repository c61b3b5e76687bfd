from dataclasses import dataclass, replace

import numpy as np
import pytest
from fake_study import cells, fake_study

from chunkenv.errors import ArgumentError


@dataclass
class Changing:
    delay: int


@dataclass(frozen=True)
class Slow:
    factor: float


BAD = {
    "no episodes": ({"episodes": 0}, "episodes=0 is too small"),
    "negative episodes": ({"episodes": -1}, "episodes=-1 is too small"),
    "fractional episodes": ({"episodes": 2.5}, "episodes=2.5 is not a whole number"),
    "negative seed": ({"seed": -1}, "seed=-1 is too small"),
    "seed as text": ({"seed": "zero"}, "seed='zero' is not a whole number"),
    "huge seed": ({"seed": 2**63}, "seed=9223372036854775808 is too large"),
    "no cells": ({"cells": ()}, "'fake' has no cells"),
    "cells of two kinds": ({"cells": (cells()[0], Changing(1))}, "'fake' has cells of Cell and Changing; make all of"),
    "cells that change": ({"cells": (Changing(1),)}, "cells of Changing can change; .*frozen=True"),
    "a cell of another type": ({"cells": (Slow("fast"),)}, "Slow has factor='fast', which was declared float"),
    "settings that are no data": ({"settings": {"policy": object()}}, r"settings\['policy'\]=<object"),
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


def test_numbers_of_numpy_are_pythons():
    study = fake_study(episodes=np.int64(2), seed=np.int64(3), batch=np.int32(2), cells=(Slow(np.float32(0.5)),))
    assert [type(value) for value in (study.episodes, study.seed, study.batch)] == [int, int, int]
    assert type(study.cells[0].factor) is float


def test_cells_may_come_from_a_generator():
    assert fake_study(cells=(cell for cell in cells())).cells == cells()


@pytest.mark.parametrize("name", ["late-cartpole", "v1.2 (été)", "a & b", "ratio 1:2", ".hidden"])
def test_names_of_files_name_studies(name):
    assert replace(fake_study(), name=name).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", " ", "../../x", "/tmp/x", "a/b", "a\\b", "c:x", "a\nb", "a\0b", 5, None]
)
def test_other_names_are_refused(name):
    with pytest.raises(ArgumentError, match=r"name=.* cannot name a study's folder; give a file's name"):
        replace(fake_study(), name=name)
