from dataclasses import dataclass

import pytest
from fake_study import block_study

from chunkenv.bench.report.page.leaderboard_content import make_leaderboard
from chunkenv.bench.report.write import write_leaderboard
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError
from tests.bench.analysis.test_standings import SOLVED, play, played, standing_cells, standing_study
from tests.bench.report.test_report import Page


@dataclass(frozen=True)
class Slowed:
    task: str
    method: str
    slowdown: float


def play_slowed(cell, episodes, seed):
    return [row | {"success": cell.slowdown < 50} for row in play(standing_cells((cell.method,))[0], episodes, seed)]


def played_slowed(folder, cells):
    study = block_study(cells=cells, play=play_slowed, results={}, episodes=8, batch=8, name="charged")
    store = Store(folder / "episodes.sqlite", study.cell, study.results)
    store.begin(study)
    for block in study.blocks:
        store.keep(block, study.play(block.cell, block.episodes, 0))
    return store


@pytest.fixture
def renamed(monkeypatch):
    """The methods of the made-up rows under names of ours, but for the last."""
    names = {"predicted-state": "best", "rtc": "late", "naive": "naive", "mine": "twin"}
    for name, of_old in names.items():
        monkeypatch.setitem(SOLVED, name, SOLVED[of_old])
    return tuple(names)


@pytest.fixture
def store(tmp_path, renamed):
    with played(tmp_path, standing_study(cells=standing_cells(renamed))) as store:
        yield store


def column(table, name):
    return [row[table.header.index(name)].text for row in table.rows]


def test_every_method_has_its_line(store):
    (table,) = make_leaderboard(store).tables
    assert column(table, "method") == ["predicted-state *", "rtc", "mine", "naive"]
    assert column(table, "rank") == ["1", "2", "3 to 4", "3 to 4"]
    assert column(table, "d = 0") == ["100.0 (91.2 to 100.0)"] * 4
    assert column(table, "needs") == ["model", "gradient", "not known", "nothing"]
    assert column(table, "evaluations") == ["5"] * 4
    assert column(table, "boundary jump") == ["not known"] * 4
    assert "charged" not in table.header


def test_products_are_known_of_our_methods_on_our_levels(store):
    (table,) = make_leaderboard(store).tables  # whose tasks are no levels
    assert column(table, "VJPs") == ["0", "not known", "not known", "0"]


def test_charged_rows_are_one_more_column(store, tmp_path, renamed):
    cells = tuple(Slowed("left", method, slowdown) for method in renamed[:3] for slowdown in (1.0, 100.0))
    with played_slowed(tmp_path / "charged", cells) as charged:
        content = make_leaderboard(store, charged)
    shares = [text.split(" (")[0] for text in column(content.tables[0], "charged")]
    assert shares == ["50.0", "50.0", "not known", "50.0"]
    assert len(content.runs) == 2


def test_a_page_and_markdown_are_written(store, tmp_path):
    page, text = write_leaderboard(store, None, tmp_path / "out")
    assert [path.name for path in (page, text)] == ["leaderboard.html", "leaderboard.md"]
    assert Page(page.read_text()).headings[:3] == ["method", "rank", "mean over d"]
    assert "| predicted-state * | 1 | 100.0 " in text.read_text()


def test_cells_of_other_fields_are_refused(tmp_path):
    refused = pytest.raises(ArgumentError, match="has cells without 'delay'; a leaderboard needs those of")
    with played_slowed(tmp_path, (Slowed("left", "naive", 1.0),)) as store, refused:
        make_leaderboard(store)
