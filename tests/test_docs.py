"""The Python on some pages of the documentation runs, and what pages say of the code is there."""

import ast
import re
import runpy
from pathlib import Path

import pytest

from tests.pages import DOCS, ROOT, python_blocks, run_blocks

TEXTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PAGES = (
    "explanation/clock.md",
    "explanation/oracles.md",
    "explanation/semi_mdp.md",
    "howto/annotations.md",
    "howto/decisions.md",
    "howto/faults.md",
    "howto/flow.md",
    "howto/hyper_parameters.md",
    "howto/latency.md",
    "howto/optimizers.md",
    "howto/pictures.md",
    "howto/pixels.md",
    "howto/remote.md",
    "howto/strategies.md",
    "howto/training_loops.md",
    "howto/vla.md",
    "reference/backends.md",
    "reference/chunked_execution.md",
    "reference/kinetix.md",
    "reference/strategies.md",
    "start/five_minutes.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_runs(page, capsys):
    scope = run_blocks(page)
    assert "failed" not in capsys.readouterr().out
    if page.endswith("pictures.md"):
        assert len(scope["frames"]) == 13
        assert {frame.shape for frame in scope["frames"]} == {(558, 500, 3)}


def test_every_page_with_python_is_run_by_some_test():
    """Here, or by a test that names the page."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    pages = {page for page in DOCS.rglob("*.md") if python_blocks(page.read_text(encoding="utf-8"))}
    assert len(pages) > 30
    assert not [page.name for page in pages if f'{page.name}"' not in tests and f'"{page.stem}"' not in tests]


@pytest.mark.parametrize("page", ["own_strategy", "sb3", "measure_latency"])
def test_the_code_of_a_tutorial_runs_from_top_to_bottom(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "tutorials" / f"{page}.md").read_text()
    scope = {"__name__": page}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(code, page, "exec"), scope)
    assert capsys.readouterr().out


def find(tree, name):
    """The definition of a name, which may have dots, in a syntax tree; None if there is none."""
    first, _, rest = name.partition(".")
    for node in tree.body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        if first in {getattr(node, "name", None), *(getattr(target, "id", None) for target in targets)}:
            return find(node, rest) if rest else node
    return None


def test_a_name_with_dots_is_found_and_others_are_not():
    tree = ast.parse("X = 1\ny: int = 2\nclass A:\n    def f(self): ...\n")
    assert all(find(tree, name) for name in ("X", "y", "A", "A.f"))
    assert not any(find(tree, name) for name in ("f", "A.g", "B.f"))


def test_files_and_names_of_the_code_on_a_page_are_there():
    """A page says `clock.py` `Cycle.sources`: the path from the package or from the top, then what stands there."""
    pairs = {
        (page.name, *pair) for page in TEXTS for pair in re.findall(r"`([\w/]+\.py)`\s+`([\w.]+)`", page.read_text())
    }
    assert len(pairs) > 50
    for page, path, name in sorted(pairs):
        file = next((ROOT / top / path for top in ("chunkenv", "") if (ROOT / top / path).exists()), None)
        assert file, f"{page}: there is no {path}"
        assert find(ast.parse(file.read_text()), name), f"{page}: there is no {name} in {path}"


def test_files_to_touch_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = {
        path
        for path in re.findall(r"`((?:chunkenv|docs|examples|tests)/[\w./]*)`", text)
        if not re.search("NAME|ROOM", path)
    }
    assert len(paths) > 30
    assert not [path for path in paths if not (ROOT / path).exists()]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http|#)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_picture_of_the_rooms_is_that_of_the_imports():
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_architecture.py"))
    picture = drawing["draw"](drawing["rooms"](), drawing["imports"]())
    assert picture == drawing["PICTURE"].read_text(), "python docs/draw_architecture.py draws it anew"
