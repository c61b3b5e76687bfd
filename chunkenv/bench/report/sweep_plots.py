"""Plots of any study: the score along each number that varies, a line a method, a panel for what else varies."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from chunkenv.bench.analysis.groups import Group, Groups
from chunkenv.bench.report.plot_style import PALETTE, STYLE

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
COLUMNS = 4

Pairs: TypeAlias = tuple[tuple[str, Any], ...]
"""Fields of cells with their values."""
Split = dict[Pairs, list[Group]]


def draw_sweeps(groups: Groups) -> list[tuple[str, bytes]]:
    """A plot along each field of the cells that is a number and varies: the field's name, and the SVG.

    A field is left out if it varies together with others only.
    """
    numbers = [name for name in groups.keys if not isinstance(groups.groups[0].key[groups.keys.index(name)], str)]
    panels = {name: _panels(groups, name, numbers) for name in numbers}
    with rc_context({**STYLE, "svg.hashsalt": "chunkenv"}):  # the same bytes for the same numbers
        return [(name, _svg(_draw(groups, name, numbers, found))) for name, found in panels.items() if found]


def _panels(groups: Groups, along: str, numbers: Sequence[str]) -> Split:
    """Groups by what else is a number and varies, where `along` has several values; all, if that follows from it."""
    others = [name for name in numbers if name != along]
    split = _split(groups, groups.groups, others)
    if len(_split(groups, groups.groups, numbers)) == len(_split(groups, groups.groups, [along])):
        return {(): groups.groups}
    return {key: found for key, found in sorted(split.items()) if len(_split(groups, found, [along])) > 1}


def _draw(groups: Groups, along: str, numbers: Sequence[str], panels: Split) -> Figure:
    """Lines for the values of what is no number."""
    rows, width = math.ceil(len(panels) / COLUMNS), min(len(panels), COLUMNS)
    figure = Figure(figsize=(1.2 + 3.2 * width if width > 1 else 6.4, 0.9 + 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, width, sharex=True, sharey=True, squeeze=False)
    styles: dict[Pairs, int] = {}
    for axes, (key, found) in zip(grid.flat, panels.items(), strict=False):
        _draw_lines(axes, groups, along, _split(groups, found, [n for n in groups.keys if n not in numbers]), styles)
        axes.set_title(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in key), loc="left", fontsize=9)
        axes.set_xlabel(along.replace("_", " "))
        axes.grid(axis="y")
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    _scale(grid[0, 0], groups, along)
    _add_legend(figure, grid.flat)
    return figure


def _scale(axes: Axes, groups: Groups, along: str) -> None:
    """What the axes share: the score's range and name, and ticks at whole numbers only, if there are no others."""
    axes.set_ylabel("episodes solved, %" if groups.solves else "return")
    if groups.solves:
        axes.set_ylim(0, 104)
    if all(isinstance(group.key[groups.keys.index(along)], int) for group in groups.groups):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_lines(axes: Axes, groups: Groups, along: str, lines: Split, styles: dict[Pairs, int]) -> None:
    """A line with its band for each key, in the same colour in every panel."""
    place, scale = groups.keys.index(along), 100 if groups.solves else 1
    for key, found in lines.items():
        style = styles.setdefault(key, len(styles))
        found = sorted(found, key=lambda group: group.key[place])
        x = [group.key[place] for group in found]
        low, middle, high = (
            [scale * getattr(group.score, end) for group in found] for end in ("low", "estimate", "high")
        )
        colour, marker = PALETTE[style % len(PALETTE)], MARKERS[style % len(MARKERS)]
        axes.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
        label = ", ".join(str(value) for _, value in key) or None
        axes.plot(x, middle, color=colour, marker=marker, markersize=4.5, linewidth=1.8, label=label, clip_on=False)


def _split(groups: Groups, found: Sequence[Group], names: Sequence[str]) -> Split:
    """Groups by the values of some fields, in their order."""
    places = [groups.keys.index(name) for name in names]
    split: Split = {}
    for group in found:
        key = tuple((name, group.key[place]) for name, place in zip(names, places, strict=True))
        split.setdefault(key, []).append(group)
    return split


def _add_legend(figure: Figure, panels: Iterable[Axes]) -> None:
    named = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(named.values(), named.keys(), loc="outside upper left", ncols=4, frameon=False)


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    FigureCanvasSVG(figure)
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
