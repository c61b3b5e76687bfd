"""How Sphinx reads the docstrings of this package: as they stand, with links from the names of errors and types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils.nodes import Element, Node
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

SECTION = re.compile(r"\s*(Args|Attributes|Raises|Returns|Yields):$")


def as_written(lines: list[str]) -> Iterator[str]:
    """A docstring with the indented blocks as code, and its stars and bars as they are.

    Docstrings here are read in editors: indented blocks are tables and formulas, `names` stand in single backticks,
    one word may be stressed, and nothing else is markup.
    """
    base, code, before = 0, None, ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if code is not None and line.strip() and indent <= code:
            code = None
        if line.strip() and indent == 0:
            base = 4 if SECTION.match(line) else 0
        if line.strip() and code is None and not before.strip() and indent >= base + 4:
            code = indent - 1
            yield from (" " * base + "::", "")
        yield line if code is not None or line.lstrip().startswith((">>>", "...")) else escaped(line)
        before = line


def escaped(line: str) -> str:
    """Nothing in it is markup, but for what stands in backticks, and *one* word that is stressed."""
    parts = re.split(r"(`+[^`]+`+|(?<![\w*])\*\w+\*(?![\w*]))", line)
    return "".join(part if place % 2 else re.sub(r"([*|\\])", r"\\\1", part) for place, part in enumerate(parts))


def read_docstring(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Before napoleon reads its sections."""
    lines[:] = as_written(lines)


def find_name(app: Sphinx, env: BuildEnvironment, node: Element, text: Element) -> Node | None:
    """A docstring names `ArgumentError`, not where it is; what other packages have is shown without a link."""
    if node.get("refdomain") != "py":
        return None
    domain, target = env.domains.python_domain, node["reftarget"]
    name = target.rpartition(".")[2]
    for full, entry in sorted(domain.objects.items()):
        if full.rpartition(".")[2] == name and entry.objtype in ("class", "exception", "data"):
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, text, full)
    return None if node["reftype"] == "obj" else text


def setup_docstrings(app: Sphinx) -> None:
    """Connect both; the first one before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", read_docstring, priority=400)
    app.connect("missing-reference", find_name)
