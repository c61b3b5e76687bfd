"""The site says everything: each exported name, each command and option; and each page can be found."""

import importlib
import inspect
import re
import runpy
import subprocess
import sys
import tomllib
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from chunkenv.manipulation.families import FAMILY
from chunkenv.registration import FAMILIES, LEVELS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GENERATED = ("_build", "api", "commands")


@pytest.fixture(scope="module")
def reference():
    pytest.importorskip("sphinx")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        return runpy.run_path(str(DOCS / "site_reference.py"))


def test_every_exported_name_is_on_a_page_and_is_explained(reference):
    homes = reference["homes"]()
    assert set(reference["rooms"]()) >= {"chunkenv", "chunkenv.latency", "chunkenv.agents"}
    for (room, name), home in homes.items():
        thing = getattr(importlib.import_module(room), name)
        own = inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing)
        assert inspect.getdoc(thing) if own else reference["said_of"](name), f"{room}.{name} says nothing"
        assert re.search(rf"{home}\.{name}\b", reference["room_page"](home)), f"{room}.{name}"


def test_a_name_of_two_rooms_is_explained_in_the_public_one(reference):
    homes = reference["homes"]()
    assert {homes[room, "ChunkedExecution"] for room in ("chunkenv", "chunkenv.wrappers")} == {"chunkenv.wrappers"}


def test_every_command_and_option_is_on_a_page(reference):
    pages = "".join(reference["command_pages"]().values())
    tree = reference["commands"]()
    assert {("chunkenv", "play"), ("chunkenv", "bench", "rtc"), ("chunkenv", "train", "qc")} <= set(tree)
    for words, command in tree.items():
        assert re.search(rf"^#+ {' '.join(words)}$", pages, re.MULTILINE)
        assert command.help, words
        assert all(option in pages for parameter in command.params for option in parameter.opts if option[0] == "-")
        assert all(parameter.help for parameter in command.params if not getattr(parameter, "hidden", False)), words


@pytest.mark.parametrize(
    ("docstring", "right"),
    [
        ("One.\n\nIt has\n\n    a  b\n\nand *c* * d**e.", "One.\n\nIt has\n\n::\n\n    a  b\n\nand *c* \\* d\\*\\*e."),
        (
            "One.\n\nArgs:\n    a: `b*c` | d\n\n        x\n\n    e: f",
            "One.\n\nArgs:\n    a: `b*c` \\| d\n\n    ::\n\n        x\n\n    e: f",
        ),
    ],
)
def test_docstrings_are_shown_as_they_stand(reference, docstring, right):
    assert "\n".join(reference["as_written"](docstring.split("\n"))) == right


def test_every_task_has_its_picture_and_its_facts():
    page = (DOCS / "reference" / "tasks.md").read_text()
    for name in (*LEVELS, *FAMILIES):
        assert f"(../images/tasks/{name}.png)" in page
        assert (DOCS / "images" / "tasks" / f"{name}.png").exists()
    assert all(f"`chunkenv/kinetix-{level}-v0`" in page for level in LEVELS)
    for family in FAMILY.values():
        card = page[page.index(f"(../images/tasks/{family.name}.png)") :].split(":::")[0]
        assert f"{family.features} numbers are observed; {family.time_limit} ticks." in card


def test_every_extra_is_explained():
    page = (DOCS / "start" / "install.md").read_text()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert not [extra for extra in extras if f"| `{extra}` |" not in page]


def entries(page):
    """The pages that the toctrees of a page name."""
    for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line and not line.startswith(":"):
                yield (page.parent / f"{line}.md").resolve()


def test_every_page_can_be_found_from_the_first_one():
    pages = {page for page in DOCS.rglob("*.md") if not set(GENERATED) & set(page.parts)}
    listed = {entry for page in pages for entry in entries(page)}
    assert pages - listed == {DOCS / "index.md"}, "name them in the toctree of their section"


class Links(HTMLParser):
    """The ids of a page, and what it leads to."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.targets = set(), []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.targets.append(value)


def dead_links(folder):
    """Local links of built pages whose file or place is not there."""
    pages = {page: Links(page) for page in folder.rglob("*.html")}
    for page, links in pages.items():
        for target in links.targets:
            parts = urlparse(target)
            if parts.scheme or parts.netloc:
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            place = unquote(parts.fragment)
            if not file.exists() or (place and file in pages and place not in pages[file].ids):
                yield f"{page.relative_to(folder)}: {target}"


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="b.html#y"></a><a href="#x"></a><a href="c.html"></a><a href="b.html#z">'
    )
    (tmp_path / "b.html").write_text('<p id="y">')
    assert list(dead_links(tmp_path)) == ["a.html: c.html", "a.html: b.html#z"]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_its_links_lead_somewhere(tmp_path):
    command = partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=False)
    done = command([sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html", "docs", str(tmp_path)])
    assert done.returncode == 0, done.stderr[-3000:]
    assert list(dead_links(tmp_path)) == []
