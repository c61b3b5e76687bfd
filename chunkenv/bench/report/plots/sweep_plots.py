"""The plots of any study, as SVG and in words."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from chunkenv.bench.analysis.groups import Group
from chunkenv.bench.report.number_format import number_format
from chunkenv.bench.report.plots.method_lines import LineStyle, nth_style, style_of
from chunkenv.bench.report.plots.plot_style import STYLE
from chunkenv.bench.report.plots.sweeps import Sweep, SweepPanel
from chunkenv.bench.studies.methods import METHODS

COLUMNS = 4


def draw_sweep(sweep: Sweep) -> bytes:
    """The plot as SVG: the same bytes for the same numbers."""
    with rc_context({**STYLE, "svg.hashsalt": "chunkenv"}):
        return _svg(_draw(sweep))


def describe_sweep(sweep: Sweep) -> str:
    """The plot in words: of a single panel every line, of several what they are."""
    first, *others = sweep.panels
    along = " ".join(first.label.split())
    text = f"{'Episodes solved, %,' if sweep.solves else 'Return'} against {along}"
    if others:
        lines = ", ".join(filter(None, _names(sweep)))
        return f"{text}{f'; lines: {lines}' if lines else ''}; panels: {'; '.join(p.title for p in sweep.panels)}."
    return f"{text}. " + " ".join(f"{name}: {_in_words(sweep, own)}.".lstrip(": ") for name, own in first.lines.items())


def _in_words(sweep: Sweep, line: Sequence[Group]) -> str:
    values = [100 * group.score.estimate if sweep.solves else group.score.estimate for group in line]
    write = "{:.0f}".format if sweep.solves else number_format(values)
    return ", ".join(f"{write(value)} at {group.key[sweep.place]}" for value, group in zip(values, line, strict=True))


def _draw(sweep: Sweep) -> Figure:
    rows, width = math.ceil(len(sweep.panels) / COLUMNS), min(len(sweep.panels), COLUMNS)
    figure = Figure(figsize=(1.2 + 3.2 * width if width > 1 else 6.4, 0.9 + 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, width, sharex=True, sharey=True, squeeze=False)
    styles = _styles(_names(sweep))
    for axes, panel in zip(grid.flat, sweep.panels, strict=False):
        _draw_panel(axes, sweep, panel, styles)
    for axes in list(grid.flat)[len(sweep.panels) :]:
        axes.set_visible(False)
    _scale(grid[0, 0], sweep)
    _add_legend(figure, grid.flat)
    return figure


def _names(sweep: Sweep) -> list[str]:
    return list(dict.fromkeys(name for panel in sweep.panels for name in panel.lines))


def _styles(names: Sequence[str]) -> dict[str, LineStyle]:
    """Our methods look as they always do; other lines are told apart by their order."""
    if all(name in METHODS for name in names):
        return {name: style_of(name) for name in names}
    return {name: nth_style(place) for place, name in enumerate(names)}


def _scale(axes: Axes, sweep: Sweep) -> None:
    """What the axes share: the score's range and name, and ticks at whole numbers only, if there are no others."""
    axes.set_ylabel("episodes solved, %" if sweep.solves else "return")
    if sweep.solves:
        axes.set_ylim(0, 104)
    lines = (line for panel in sweep.panels for line in panel.lines.values())
    if all(isinstance(group.key[sweep.place], int) for line in lines for group in line):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_panel(axes: Axes, sweep: Sweep, panel: SweepPanel, styles: dict[str, LineStyle]) -> None:
    for name, line in panel.lines.items():
        _draw_line(axes, sweep, line, styles[name], name or None)
    axes.set_title(panel.title, loc="left", fontsize=9)
    axes.set_xlabel(panel.label)
    axes.grid(axis="y")


def _draw_line(axes: Axes, sweep: Sweep, line: Sequence[Group], style: LineStyle, label: str | None) -> None:
    """A line with its band, in the same colour in every panel."""
    scale = 100 if sweep.solves else 1
    x = [group.key[sweep.place] for group in line]
    low, middle, high = ([scale * getattr(group.score, end) for group in line] for end in ("low", "estimate", "high"))
    axes.fill_between(x, low, high, color=style.colour, alpha=0.12, linewidth=0)
    (drawn,) = axes.plot(x, middle, color=style.colour, marker=style.marker, markersize=4.5, label=label, clip_on=False)
    drawn.set(linewidth=1.8, linestyle=style.dashes)


def _add_legend(figure: Figure, panels: Iterable[Axes]) -> None:
    named = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if named:
        figure.legend(named.values(), named.keys(), loc="outside upper left", ncols=4, frameon=False)


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    FigureCanvasSVG(figure)
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
