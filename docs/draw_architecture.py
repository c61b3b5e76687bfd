"""Draw which room imports which, from the imports themselves and from the layers in pyproject.toml.

    python docs/draw_architecture.py

It writes docs/images/architecture.svg. Imports that only type checkers see are left out.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "architecture.svg"

ROW, COLUMN = 34, 40  # pixels
LEFT, TOP = 108, 16
HEIGHT = 22  # of a box
LETTER = 7.9  # pixels, the width of one in the font below

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
role="img" aria-label="Which room of chunkenv imports which: every line runs right and down">
<style>
svg {{ --paper: #ffffff; --ink: #1f2328; --box: #ddeeff; --line: #9aa7b4; --mark: #0b62c4; }}
@media (prefers-color-scheme: dark) {{
svg {{ --paper: #0d1117; --ink: #e6edf3; --box: #16324f; --line: #4b5763; --mark: #6cb0ff; }} }}
.paper {{ fill: var(--paper); }}
.box {{ fill: var(--box); stroke: var(--mark); }}
.line {{ stroke: var(--line); fill: none; }}
.head, .mark {{ fill: var(--mark); }}
text {{ fill: var(--ink); font: 13px ui-monospace, Menlo, Consolas, monospace; text-anchor: end; }}
</style>
<rect class="paper" width="{width}" height="{height}"/>
"""


def rooms() -> list[str]:
    """The rooms from the top layer to the bottom one; those that share a layer stand side by side."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    return [name.strip() for layer in layers["layers"] for name in layer.split("|")]


def imports() -> set[tuple[str, str]]:
    """Pairs of rooms: a module of the first imports a module of the second."""
    graph = grimp.build_graph("chunkenv", exclude_type_checking_imports=True, cache_dir=None)
    named = set(rooms())
    found = graph.find_modules_directly_imported_by
    pairs = {(_room_of(module), _room_of(other)) for module in graph.modules for other in found(module)}
    return {(room, other) for room, other in pairs if room != other and {room, other} <= named}


def draw(names: list[str], pairs: set[tuple[str, str]]) -> str:
    """The picture: each room is a box on the diagonal, and a mark right of it and above another is an import."""
    place = {name: (LEFT + COLUMN * index, TOP + ROW * index) for index, name in enumerate(names)}
    right, bottom = place[names[-1]]
    parts = [HEAD.format(width=right + COLUMN // 2, height=bottom + HEIGHT + TOP)]
    parts += [_lines(name, pairs, place) for name in names]
    parts += [_mark(room, other, place) for room, other in sorted(pairs)]
    parts += [_box(name, *place[name]) for name in names]
    return "".join(parts) + "</svg>\n"


def _room_of(module: str) -> str:
    """The room of a module; empty for the package itself, whose `__init__` only passes names on."""
    return module.partition(".")[2].partition(".")[0]


def _lines(name: str, pairs: set[tuple[str, str]], place: dict[str, tuple[int, int]]) -> str:
    """From a room to the right, as far as it imports; and down to it, from the first room that imports it."""
    x, y = place[name]
    middle = y + HEIGHT // 2
    ends = [place[other][0] for room, other in pairs if room == name]
    starts = [place[room][1] + HEIGHT // 2 for room, other in pairs if other == name]
    across = f'<path class="line" d="M{x} {middle}H{max(ends) - 6}"/>\n' if ends else ""
    down = f'<path class="line" d="M{x - 6} {min(starts)}V{y - 6}"/>\n' if starts else ""
    head = f'<path class="head" d="M{x - 10} {y - 7}h8l-4 6z"/>\n' if starts else ""
    return across + down + head


def _mark(room: str, other: str, place: dict[str, tuple[int, int]]) -> str:
    x, y = place[other][0] - 6, place[room][1] + HEIGHT // 2
    return f'<circle class="mark" cx="{x}" cy="{y}" r="4"><title>{room} imports {other}</title></circle>\n'


def _box(name: str, x: int, y: int) -> str:
    width = round(len(name) * LETTER) + 14
    box = f'<rect class="box" x="{x - width}" y="{y}" width="{width}" height="{HEIGHT}" rx="4"/>'
    return f'{box}<text x="{x - 7}" y="{y + 15}">{name}</text>\n'


if __name__ == "__main__":
    PICTURE.write_text(draw(rooms(), imports()), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
