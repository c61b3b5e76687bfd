import base64
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from fake_study import block_study, cells, fake_study
from matplotlib.figure import Figure

from chunkenv.bench.analysis.groups import cells as by_cell
from chunkenv.bench.analysis.groups import overall
from chunkenv.bench.report.page.content import Content, make_content
from chunkenv.bench.report.page.html import to_html
from chunkenv.bench.report.page.markdown import to_markdown
from chunkenv.bench.report.plots.plot_style import save_png
from chunkenv.bench.report.plots.sweep_plots import describe_sweep, draw_sweep
from chunkenv.bench.report.plots.sweeps import find_sweeps, find_task_sweeps
from chunkenv.bench.report.tables import Entry, PlainTable, make_tables
from chunkenv.bench.report.write import write_report
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def written(folder, study, command="chunkenv bench run fake.py"):
    store = Store(folder / "episodes.sqlite", study.cell, study.results)
    store.begin(study, command)
    for block in study.blocks:
        store.claim(block)
        store.keep(block, study.play(block.cell, block.episodes, study.seed))
    return store


@pytest.fixture
def store(tmp_path):
    with written(tmp_path, block_study(settings={"action_noise": 0.1})) as store:
        yield store


class Page(HTMLParser):
    """What the tests look at: cells and headings of tables, images, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.sources, self.values = [], [], [], []
        self.headings, self.words, self.paragraphs = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "img":
            self.sources.append(found["src"])
            self.words.append(found["alt"])
        if tag == "td":
            self.values.append(found["data-value"])
        if tag == "th":
            self.headings.append(found["data-name"])
        if tag not in ("img", "meta"):
            self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.tags.pop() == tag

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "td":
            self.cells.append(data)
        if self.tags and self.tags[-1] == "p":
            self.paragraphs.append(data)


def test_the_page_holds_every_table_and_needs_nothing_else(store, tmp_path):
    text = to_html(make_content(store, tmp_path))
    page = Page(text)
    assert page.tags == []
    entries = [
        entry for table in make_tables(store, overall(store)) for row in table.rows for entry in in_order(table, row)
    ]
    assert page.cells == [entry.text for entry in entries if entry.text]
    assert page.values == [str(entry.value).replace("-inf", "-Infinity") for entry in entries]
    assert "-Infinity" in page.values  # what was not measured in one of the settings
    assert page.sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert not re.search(r"(src|href)=\"(?!data:)", text)


def in_order(table, row):
    """The entries of a row as the page shows them: the score first."""
    return [row[table.score], *row[: table.score], *row[table.score + 1 :]]


def test_every_table_begins_with_its_score(store, tmp_path):
    page = Page(to_html(make_content(store, tmp_path)))
    whole, against, each = (table.header for table in make_tables(store, overall(store)))
    solved = "solved, % (95 % interval)"
    assert page.headings[0] == solved
    assert page.headings[len(whole)] == "minus bold, points (95 % interval)"
    assert page.headings[len(whole) + len(against)] == solved
    assert sorted(page.headings) == sorted([*whole, *against, *each])
    assert whole[0] == "method"  # in Markdown, which does not scroll, settings stand first


def test_the_page_says_how_rows_were_made(store, tmp_path):
    content = make_content(store, tmp_path)
    assert content.title == "blocks"
    assert content.commands == ["chunkenv bench run fake.py"]
    facts = dict(content.facts)
    assert (facts["episodes"], facts["seed"], facts["action noise"]) == ("80", "0", "0.1")
    ((started, how),) = content.runs
    assert started[:2] == "20"
    assert all(word in how for word in ("cores", "chunkenv 0", "numpy", "gymnasium", "code"))
    for text in (to_html(content), to_markdown(content)):
        assert all(part in text for part in ("$ chunkenv bench run fake.py", started, how))


def test_the_page_and_the_markdown_begin_with_what_the_study_says_of_itself(store, tmp_path):
    """The docstring of the file with `play`."""
    about = "A study that takes milliseconds: a world of one number, and a policy that draws its actions."
    content = make_content(store, tmp_path)
    assert content.about == [about]
    assert about in Page(to_html(content)).paragraphs
    assert to_markdown(content).splitlines()[2] == about


def test_an_unfinished_study_says_so(store, tmp_path):
    store.begin(block_study(episodes=12, settings={"action_noise": 0.1}))
    facts = dict(make_content(store, tmp_path).facts)
    assert facts["episodes"] == "80 of 96: the study is not finished"


def test_names_are_escaped(tmp_path):
    odd = Cell("<b>left", 'a|"bold"', 0, 2, 4)
    study = block_study(cells=(odd, Cell("right", "shy", 0, 2, 4)), name="a & b")
    with written(tmp_path, study) as store:
        content = make_content(store, tmp_path)
    page = Page(to_html(content))
    assert "<b>left" in page.cells
    assert "<b>left" not in to_html(content)
    assert 'a\\|"bold"' in to_markdown(content)


def test_plots_and_films_in_the_folder_are_shown(store, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "blocks.png").write_bytes(PNG)
    (tmp_path / "videos" / "catapult.gif").write_bytes(b"GIF89a")
    content = make_content(store, tmp_path)
    assert [picture.name for picture in content.plots] == ["blocks.png"]
    sources = Page(to_html(content)).sources
    assert [source.split(",")[0] for source in sources] == ["data:image/png;base64", "data:image/gif;base64"]
    assert base64.b64decode(sources[0].split(",")[1]) == PNG
    assert "![Video videos/catapult.gif.](videos/catapult.gif)" in to_markdown(content)


def test_files_are_written_and_drawn_anew(store, tmp_path):
    paths = write_report(store, tmp_path, tmp_path)
    assert [path.name for path in paths] == ["report.html", "report.md"]
    drawn = re.findall(r"!\[.*\]\((.*)\)", paths[1].read_text())
    assert drawn == ["report/delay.svg", "report/tasks_delay.svg", "report/timeline_delay_1_horizon_2.svg"]
    assert all((tmp_path / name).is_file() for name in drawn)
    before = (tmp_path / "report" / "delay.svg").read_bytes()
    assert write_report(store, tmp_path, tmp_path) == paths
    assert (tmp_path / "report" / "delay.svg").read_bytes() == before
    (tmp_path / "report" / "delay.svg").write_text("old")
    write_report(store, tmp_path, tmp_path)
    assert (tmp_path / "report" / "delay.svg").read_bytes() == before


def test_a_report_elsewhere_takes_its_pictures_along(store, tmp_path):
    (tmp_path / "blocks.png").write_bytes(PNG)
    write_report(store, tmp_path, tmp_path / "there")
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["blocks.png", "report.html", "report.md"]


def test_markdown_tables_have_as_many_cells_in_every_line():
    table = PlainTable("Numbers", "a note", ["name", "value"], [[Entry("a|b", "a"), Entry("1\n2", 1.0)]])
    text = to_markdown(Content("t", [], [], [], [table], [], [], []))
    assert text.splitlines()[6:9] == ["| name | value |", "| --- | ---: |", "| a\\|b | 1 2 |"]


def test_nothing_to_report(tmp_path):
    study = fake_study()
    with Store(tmp_path / "episodes.sqlite") as store:
        store.begin(study)
        with pytest.raises(ArgumentError, match="holds no episodes yet; there is nothing to report"):
            make_content(store, tmp_path)


def grid(*pairs):
    return tuple(Cell(task, method, d, s, 8) for task in ("left", "right") for method in ("a", "b") for d, s in pairs)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (grid((0, 1), (1, 1), (2, 1)), ["delay"]),
        (grid((0, 1), (1, 2), (2, 3)), ["delay", "execution_horizon"]),
        (grid((0, 1), (1, 1), (2, 2)), ["delay"]),
        (grid((0, 1), (0, 2), (1, 1), (1, 2)), ["delay", "execution_horizon"]),
        (grid((0, 1)), []),
        (cells()[:1], []),
    ],
)
def test_there_is_a_sweep_along_each_number_that_varies(tmp_path, cells, names):
    with written(tmp_path, block_study(cells=cells)) as store:
        found, by_task = find_sweeps(overall(store)), find_task_sweeps(by_cell(store))
    assert [sweep.name for sweep in found] == names
    assert [sweep.name for sweep in by_task] == [f"tasks_{name}" for name in names]
    assert all(draw_sweep(sweep).startswith(b"<?xml") for sweep in found + by_task)
    assert all([panel.title for panel in sweep.panels][-1].endswith("right") for sweep in by_task)


def test_panels_split_what_else_varies(tmp_path):
    with written(tmp_path, block_study(cells=grid((0, 1), (0, 2), (1, 1), (1, 2), (1, 3)))) as store:
        along_delay, along_horizon = find_sweeps(overall(store))
        by_task = find_task_sweeps(by_cell(store))
    assert [panel.title for panel in along_delay.panels] == ["execution horizon 1", "execution horizon 2"]
    assert [panel.title for panel in along_horizon.panels] == ["delay 0", "delay 1"]
    assert [panel.title for panel in by_task[1].panels] == ["delay 1, left", "delay 1, right"]  # with the most points
    assert draw_sweep(along_delay).count(b"<!-- execution horizon") == 2
    assert describe_sweep(along_delay) == (
        "Episodes solved, %, against delay; lines: a, b; panels: execution horizon 1; execution horizon 2."
    )


def test_an_axis_says_what_changes_along_it_and_the_words_give_the_numbers(tmp_path):
    with written(tmp_path, block_study(cells=grid((0, 1), (1, 2), (2, 3)), episodes=6)) as store:
        along_delay, _ = find_sweeps(overall(store))
    assert [panel.label for panel in along_delay.panels] == ["delay\n(with it execution horizon 1, 2, 3)"]
    assert describe_sweep(along_delay) == (
        "Episodes solved, %, against delay (with it execution horizon 1, 2, 3). "
        "a: 67 at 0, 67 at 1, 67 at 2. b: 67 at 0, 67 at 1, 67 at 2."
    )


def test_pictures_are_told_in_words(store, tmp_path):
    drawn = Page(to_html(make_content(store, tmp_path))).words
    assert drawn[0].startswith("Episodes solved, %, against delay. bold: 60 at 0, 70 at 1. shy: ")
    assert drawn[1] == "Episodes solved, %, against delay; lines: bold, shy; panels: left; right."
    assert drawn[2].startswith("Delay 1, execution horizon 2, chunks of 4 rows. ")
    save_png(Figure(figsize=(1, 1)), tmp_path / "a.png", 'Above 50 % "everywhere", \u2265 0')
    (tmp_path / "b.png").write_bytes(PNG)
    (tmp_path / "c.png").write_bytes(b"no picture")
    (tmp_path / "d.svg").write_text("<svg><title>Old &amp; new</title><desc>Two lines</desc></svg>")
    expected = ['Above 50 % "everywhere", \u2265 0', "Plot b.png.", "Plot c.png.", "Old & new. Two lines"]
    assert Page(to_html(make_content(store, tmp_path))).words == expected


@dataclass(frozen=True)
class Gain:
    """A cell without a task, a method, or anything else that a report might count on."""

    gain: float
    delay: int


@pytest.mark.parametrize("cells", [(Gain(0.5, 1),), (Gain(0.5, 1), Gain(1.5, 1)), (Gain(0.5, 1), Gain(1.0, 2))])
def test_cells_of_any_kind_have_a_report(tmp_path, cells):
    with written(tmp_path, block_study(cells=cells)) as store:
        page, text = write_report(store, tmp_path, tmp_path)
    lines = text.read_text().splitlines()
    assert sum(line.startswith("| ") for line in lines) == len(cells) + 2
    assert Page(page.read_text()).tags == []
