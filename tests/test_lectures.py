"""The lectures: their Python prints what stands there, and their pictures are those of the clock."""

import doctest
import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = DOCS / "explanation"
LECTURES = ("lecture_clock.md", "lecture_async.md")


@pytest.mark.parametrize("page", LECTURES)
def test_worked_examples_come_to_what_stands_there(page):
    blocks = re.findall(r"```pycon\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, page, page, 0)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.REPORT_ONLY_FIRST_FAILURE).run(test)
    assert (failed, tried > 15) == (0, True)


def test_the_pictures_are_current_and_shown():
    drawing = runpy.run_path(str(DOCS / "draw_lectures.py"))
    pages = "".join((PAGES / page).read_text(encoding="utf-8") for page in LECTURES)
    for name, picture in drawing["draw"]().items():
        assert picture == (drawing["IMAGES"] / name).read_text(encoding="utf-8"), "python docs/draw_lectures.py"
        assert f"(../images/{name})" in pages
    assert set(drawing["draw"]()) == {path.name for path in drawing["IMAGES"].glob("lecture_*.svg")}
