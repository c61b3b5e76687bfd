"""The code on pages of the documentation.

A block runs in the tests, unless the line above it says why not: `<!-- not run: it trains for hours -->`.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^(?:<!-- not run: (?P<reason>.+) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)


def python_blocks(text: str) -> list[str]:
    """The blocks of Python on a page that run."""
    return [block["code"] for block in BLOCK.finditer(text) if block["language"] == "python" and not block["reason"]]


def run_blocks(page: str) -> dict:
    """Run each block of a page by itself, in the folder that is current; the names of the last are returned."""
    blocks = python_blocks((DOCS / page).read_text(encoding="utf-8"))
    assert blocks, f"{page} has no Python that runs"
    for code in blocks:
        scope = {"__name__": "__main__"}
        exec(compile(code, page, "exec"), scope)
    return scope
