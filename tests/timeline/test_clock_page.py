"""The pictures and the tables of docs/explanation/clock.md are those of the clock."""

import re
import runpy
from pathlib import Path

import pytest

from chunkenv.timeline import plan_timeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "clock.md").read_text(encoding="utf-8")


def table(heading):
    """The rows of the table whose first column has a heading, without the two lines of its head."""
    lines = PAGE[PAGE.index(f"| {heading}") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_pictures_are_current():
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_timelines.py"))
    for name, picture in drawing["draw"]().items():
        kept = (drawing["IMAGES"] / name).read_text(encoding="utf-8")
        assert picture == kept, f"{name}: python docs/draw_timelines.py draws it anew"
        assert f"(../images/{name})" in PAGE


def test_every_picture_of_a_timeline_is_drawn():
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_timelines.py"))
    assert set(drawing["draw"]()) == {path.name for path in drawing["IMAGES"].glob("timeline_*.svg")}


@pytest.mark.parametrize("cells", table("H |"), ids=" ".join)
def test_several_in_flight(cells):
    horizon, executed, delay, in_flight, period = map(int, cells[:5])
    requests, rows, underruns = cells[5:]
    usual = executed if in_flight == 1 else max(executed, -(-delay // in_flight))
    given = {} if period == usual else {"request_period": period}
    timeline = plan_timeline(horizon, executed, delay, 120, max_in_flight=in_flight, **given)
    begun = [inference.request for inference in timeline.inferences]
    assert begun[: len(requests.split())] == list(map(int, requests.split()))
    length = len(rows.split())
    shown = ["-" if row < 0 else str(row) for _, row in timeline.acted[60 : 60 + 2 * length]]
    assert any(shown[turn : turn + length] == rows.split() for turn in range(length))
    assert underruns == f"{shown[:length].count('-')} of {length}"


@pytest.mark.parametrize("cells", table("ticks until"), ids=" ".join)
def test_rows_that_stream(cells):
    delays, rows, prefix = cells
    timeline = plan_timeline(8, 4, [list(map(int, delays.split()))], 40)
    start = timeline.inferences[5].request
    assert [row for _, row in timeline.acted[start : start + 4]] == list(map(int, rows.split()))
    assert sum(chunk == 4 for chunk, _ in timeline.acted[start : start + 4]) == int(prefix)


def test_rows_that_come_one_a_tick_never_act():
    timeline = plan_timeline(8, 4, [[1, 2, 3, 4, 5, 6, 7, 8]], 40)
    assert {chunk for chunk, _ in timeline.acted[8:]} == {-1}


def test_what_the_page_says_of_the_real_clock():
    timeline = runpy.run_path(str(ROOT / "docs" / "draw_timelines.py"))["TIMELINES"]["real"][1]
    tick, milliseconds = re.search(r"Tick (\d+) began (\d+) ms late", PAGE).groups()
    assert timeline.late[int(tick)] == pytest.approx(int(milliseconds) / 1000)
