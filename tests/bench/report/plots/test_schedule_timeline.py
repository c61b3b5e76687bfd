"""The timeline in a report is that of the longest delay."""

from dataclasses import dataclass

import pytest
from fake_study import block_study

from chunkenv.bench.analysis.groups import overall
from chunkenv.bench.report.plots.schedule_timeline import draw_longest_delay
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell
from chunkenv.timeline import draw_timeline, plan_timeline


def draw(folder, *cells, **options):
    study = block_study(cells=cells, episodes=1, **options)
    with Store(folder / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study, "")
        for block in study.blocks:
            store.claim(block)
            store.keep(block, study.play(block.cell, block.episodes, study.seed))
        return draw_longest_delay(overall(store))


def test_the_longest_delay_with_the_shortest_horizon(tmp_path):
    lengths = [(0, 2, 8), (2, 5, 8), (2, 3, 8), (1, 1, 8)]
    name, picture = draw(tmp_path, *(Cell("left", "shy", *each) for each in lengths))
    title = "Delay 2, execution horizon 3, chunks of 8 rows"
    assert name == "timeline_delay_2_horizon_3"
    assert picture.decode() == draw_timeline(plan_timeline(8, 3, 2, 28), title=title)


def test_without_delay_there_is_none(tmp_path):
    assert draw(tmp_path, Cell("left", "shy", 0, 2, 8)) is None


@dataclass(frozen=True)
class Other:
    task: str
    method: str
    delay: float = 3.0


@dataclass(frozen=True)
class Strange:
    task: str
    method: str
    delay: int = 2
    execution_horizon: int = 9
    prediction_horizon: int = 4


@pytest.mark.parametrize("kind", [Other, Strange])
def test_cells_that_mean_other_things_have_none(kind, tmp_path):
    assert draw(tmp_path, kind("left", "shy")) is None
