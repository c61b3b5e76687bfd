"""What the site says of the code, made from the code: a page for each room and for each command.

Sphinx writes the pages into `docs/reference/api` and `docs/reference/commands` before it reads the others.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import typer.main
from site_docstrings import as_written
from sphinx.application import Sphinx

DOCS = Path(__file__).parent
PACKAGE = DOCS.parent / "chunkenv"
STABILITY = DOCS / "reference" / "stability.md"


@cache
def rooms() -> tuple[str, ...]:
    """Every package with something in `__all__`, but for the command, which has pages of its own."""
    paths = (path.parent.relative_to(PACKAGE.parent) for path in sorted(PACKAGE.rglob("__init__.py")))
    names = (".".join(path.parts) for path in paths)
    return tuple(name for name in names if not name.startswith("chunkenv.cli") and exports(name))


@cache
def exports(room: str) -> tuple[str, ...]:
    """What a room has in `__all__`."""
    return tuple(name for name in importlib.import_module(room).__all__ if not name.startswith("__"))


@cache
def public_rooms() -> frozenset[str]:
    """Those that stay stable."""
    text = STABILITY.read_text(encoding="utf-8")
    return frozenset(re.findall(r"`(chunkenv[\w.]*)`", text[text.index("**Names**") : text.index("**Ids**")]))


@cache
def homes() -> dict[tuple[str, str], str]:
    """The room on whose page a name of a room is explained: a public one before others, an inner one before outer."""
    by_thing: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for room in rooms():
        for name in exports(room):
            thing = getattr(importlib.import_module(room), name)
            by_thing.setdefault((name, id(thing)), []).append((room, name))
    return {
        place: max(places, key=lambda each: (each[0] in public_rooms(), each[0].count(".")))[0]
        for places in by_thing.values()
        for place in places
    }


def room_page(room: str) -> str:
    """Its docstring, what it exports, and where the rest of its names is explained."""
    own = [name for name in exports(room) if homes()[room, name] == room]
    elsewhere = [f"{{py:obj}}`~{homes()[room, name]}.{name}`" for name in exports(room) if name not in own]
    parts = [f"# {room}", "```{eval-rst}\n" + f".. automodule:: {room}\n   :no-members:\n" + "```"]
    if room not in public_rooms():
        parts.append("An inner room: [not public](../stability.md), and may change at any time.")
    if elsewhere:
        parts.append("Explained on other pages: " + ", ".join(elsewhere) + ".")
    parts += ["```{eval-rst}\n" + directive(room, name) + "```" for name in own]
    return "\n\n".join(parts) + "\n"


def directive(room: str, name: str) -> str:
    """What makes Sphinx read the docstring of a name."""
    thing = getattr(importlib.import_module(room), name)
    if inspect.isclass(thing):
        return f".. autoclass:: {room}.{name}\n   :members:\n"
    if inspect.isroutine(thing):
        return f".. autofunction:: {room}.{name}\n"
    words = said_of(name)
    return f".. py:data:: {room}.{name}\n\n" + "".join(f"   {line}".rstrip() + "\n" for line in as_written(words))


@cache
def constants() -> dict[str, str]:
    """The strings below assignments at the top of modules: what is said of constants and types."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for node, after in itertools.pairwise(body):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(target, ast.Name) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found[target.id] = inspect.cleandoc(str(after.value.value))
    return found


def said_of(name: str) -> list[str]:
    """Of a constant or a type, by the string below it."""
    return constants().get(name, "").splitlines()


def rooms_page() -> str:
    """A list of all rooms."""
    public, inner = (
        "\n".join(room for room in rooms() if (room in public_rooms()) is wanted) for wanted in (True, False)
    )
    return (
        "# The package\n\nEvery name that a room exports, from its docstring. "
        "Import from the room: `from chunkenv.latency import LogNormal`.\n\n"
        f"```{{toctree}}\n:caption: Public\n:maxdepth: 1\n\n{public}\n```\n\n"
        f"```{{toctree}}\n:caption: Inner rooms\n:maxdepth: 1\n\n{inner}\n```\n"
    )


def commands() -> dict[tuple[str, ...], object]:
    """The tree of `chunkenv --help`: every command and group by its words."""
    from chunkenv.cli.app import app

    def walk(command: object, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
        yield words, command
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, (*words, name))

    return dict(walk(typer.main.get_command(app), ("chunkenv",)))


def command_section(words: tuple[str, ...], command) -> str:
    """What `--help` says of it: usage, text, arguments and options."""
    context = typer.Context(command, info_name=" ".join(words))
    usage = command.get_usage(context).removeprefix("Usage: ").strip()
    records = filter(None, (parameter.get_help_record(context) for parameter in command.params))
    rows = "".join(f"| `{cell(names)}` | {cell(text)} |\n" for names, text in records)
    table = f"| | |\n|---|---|\n{rows}" if rows else ""
    return f"{'#' * len(words)} {' '.join(words)}\n\n    {usage}\n\n{command.help or ''}\n\n{table}"


def cell(text: str) -> str:
    """A text in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def command_pages() -> dict[str, str]:
    """A page for the command itself, and one for each word that may follow."""
    tree = commands()
    firsts = [words[1] for words in tree if len(words) == 2]
    top = command_section(("chunkenv",), tree[("chunkenv",)])
    pages = {"index": f"{top}\n```{{toctree}}\n:maxdepth: 2\n\n" + "\n".join(firsts) + "\n```\n"}
    for first in firsts:
        sections = [command_section(words, each) for words, each in tree.items() if words[1:2] == (first,)]
        pages[first] = "\n\n".join(section.replace("#", "", 1) for section in sections)
    return pages


def write_pages(app: Sphinx) -> None:
    """Write what is not there yet, and leave what has not changed, so that Sphinx does not read it again."""
    folders = {
        "api": {"index": rooms_page()} | {room: room_page(room) for room in rooms()},
        "commands": command_pages(),
    }
    for folder, pages in folders.items():
        path = DOCS / "reference" / folder
        path.mkdir(exist_ok=True)
        for old in path.glob("*.md"):
            if old.stem not in pages:
                old.unlink()
        for name, text in pages.items():
            file = path / f"{name}.md"
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                file.write_text(text, encoding="utf-8")
