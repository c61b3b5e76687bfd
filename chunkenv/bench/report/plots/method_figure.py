"""The figure of studies that compare methods: two large panels, and below them a small one for each task."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.plots.method_lines import Points
from chunkenv.bench.report.plots.plot_style import FAINT, wrap_caption, wrap_headline

COLUMNS = 4
LARGE, SMALL = 4.6, 1.9
"""Inches of a panel's height."""


class MethodSetting(Hashable, Protocol):
    """A setting of a method, as a tuple."""

    @property
    def method(self) -> str:
        """The name of the method."""
        ...


M = TypeVar("M", bound=MethodSetting)


class Panels(NamedTuple):
    """An empty figure: its two large panels, and the small ones by task; none if there is a single task."""

    figure: Figure
    left: Axes
    right: Axes
    tasks: dict[str, Axes]


def method_figure(tasks: Sequence[str], headline: str, caption: str) -> Panels:
    """A figure of fourteen inches with its headline above, its caption below, and room for names at the right."""
    small = list(tasks) if len(tasks) > 1 else []
    lines = math.ceil(len(small) / COLUMNS)
    tall = 6.2 + 2.3 * lines
    figure = Figure(figsize=(14, tall))
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(1 + lines, COLUMNS, left=0.05, right=0.81, top=1 - 1.0 / tall, bottom=1.05 / tall,
                               height_ratios=[LARGE, *([SMALL] * lines)], hspace=0.4, wspace=0.16)  # fmt: skip
    left = figure.add_subplot(grid[0, : COLUMNS // 2])
    right = figure.add_subplot(grid[0, COLUMNS // 2 :], sharey=left)
    panels = {
        task: _task_panel(figure.add_subplot(grid[1 + place // COLUMNS, place % COLUMNS]), task, place % COLUMNS == 0)
        for place, task in enumerate(small)
    }
    figure.text(0.05, 1 - 0.42 / tall, wrap_headline(headline), fontsize=14, fontweight="bold", va="center")
    figure.text(0.05, 0.1 / tall, wrap_caption(caption), fontsize=8.5, color=FAINT, va="bottom")
    return Panels(figure, left, right, panels)


def lines_of(
    solved: Solved[M], settings: Sequence[M], along: Callable[[M], float], task: str | None = None
) -> dict[str, Points]:
    """A line for each method: over all tasks, or of one."""
    lines = {}
    for method in dict.fromkeys(setting.method for setting in settings):
        own = sorted((setting for setting in settings if setting.method == method), key=along)
        lines[method] = [along(setting) for setting in own], [solved.rate(setting, task) for setting in own]
    return lines


def _task_panel(axes: Axes, task: str, first: bool) -> Axes:
    axes.set_title(task.removeprefix("mjc_").replace("_", " "), loc="left", fontsize=9, pad=4)
    axes.tick_params(labelsize=8, labelleft=first)
    return axes
