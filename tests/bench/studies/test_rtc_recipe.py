"""benchmarks/rtc_recipe.py, on rows whose table is known."""

import runpy
from pathlib import Path

import pytest

from chunkenv.bench.run import block_player
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies.rtc_study import rtc_study
from chunkenv.evaluate import episode_seed

ROWS = {"ticks": 1, "return": 0.0, "underruns": 0, "decisions": 1}
SOLVED = {("naive", 0): 4, ("naive", 1): 1, ("rtc", 0): 4, ("rtc", 1): 3, ("training-time-rtc", 0): 4}
"""How many of four episodes, the first ones; the rest of the cells solves them all."""


@pytest.fixture(scope="module")
def script():
    folder = Path(__file__).parents[3] / "benchmarks"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return runpy.run_path(str(folder / "rtc_recipe.py"))


@pytest.fixture
def outcome(script, tmp_path):
    def make(solved):
        study = rtc_study(["catapult"], script["METHODS"], [(0, 1), (1, 1)], episodes=4)
        with Store(tmp_path / f"{len(solved)}.sqlite", study.cell) as store:
            store.begin(study)
            for block in study.blocks:
                count = solved.get((block.cell.method, block.cell.delay), 4)
                rows = [ROWS | {"seed": episode_seed(0, each), "success": each < count} for each in block.episodes]
                store.keep(block, [block_player.hold_row(row, study.columns.all) for row in rows])
            return script["outcome"](study, store, 1)

    return make


def test_what_is_lost_and_won_back(script, outcome):
    _, _, line = script["family_table"]({"smooth-mean": outcome(SOLVED)}, 1)
    experts, actions, at_once, late, *gains = line.strip("| ").split(" | ")
    assert (experts, actions) == ("smooth experts", "mean actions")
    assert (at_once.split()[0], late.split()[0]) == ("100", "25")
    assert [gain.split()[0] for gain in gains] == ["+75", "+50", "+75"]


def test_families_are_compared_where_both_are_there(script, outcome):
    found = {"smooth-mean": outcome({}), "exploring-mean": outcome(SOLVED)}
    _, _, line = script["difference_table"](found)
    text, *gains = line.strip("| ").split(" | ")
    assert text == "exploring - smooth experts, mean actions"
    assert [gain.split()[0] for gain in gains] == ["+75", "+50", "+75"]
