"""The picture of charged latency: solve rate against how many times as slow as now the policy would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.plot_style import (
    FAINT,
    STYLE,
    draw_line,
    label_ends,
    save_png,
    use_percent_axis,
    wrap_caption,
)

TICKS = (0.25, 0.5, 1, 2, 4, 8)


class Slowed(NamedTuple):
    """What a solve rate is of."""

    method: str
    slowdown: float


def plot_charged(
    solved: Solved[Slowed], traces: Mapping[str, Sequence[float]], control_dt: float, path: Path, caption: str
) -> None:
    """Draw the study as a PNG; the file is written atomically.

    Args:
        solved: what was solved, by `Slowed`.
        traces: seconds of each method's inferences, as measured.
        control_dt: seconds per tick.
        path: of the PNG.
        caption: lines below: how the rows were made.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    with rc_context(STYLE):
        save_png(draw_charged(solved, traces, control_dt, caption), path)


def draw_charged(
    solved: Solved[Slowed], traces: Mapping[str, Sequence[float]], control_dt: float, caption: str
) -> Figure:
    """The picture as a figure: against each method's own delay, and against the slowdown that they share."""
    figure = Figure(figsize=(14, 6))
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(1, 2, left=0.05, right=0.87, top=0.86, bottom=0.17, wspace=0.12)
    medians = {method: float(np.median(trace)) for method, trace in traces.items()}
    left, right = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
    _draw(left, solved, lambda setting: setting.slowdown * medians[setting.method] / control_dt)
    left.set_xlabel("median latency of the method itself, in control ticks")
    left.set_xticks(TICKS, [f"{place:g}" for place in TICKS])
    _draw(right, solved, lambda setting: setting.slowdown)
    right.set_xlabel("times as slow as measured")
    slowdowns = sorted({setting.slowdown for setting in solved.settings})
    right.set_xticks(slowdowns, [f"{place:g}" for place in slowdowns])
    label_ends(right, solved, solved.settings, lambda setting: setting.slowdown)
    figure.text(0.05, 0.94, "Every method pays for its own inference", fontsize=14, fontweight="bold", va="center")
    figure.text(0.05, 0.02, wrap_caption(caption), fontsize=8.5, color=FAINT, va="bottom")
    return figure


def _draw(axes: Axes, solved: Solved[Slowed], along: Callable[[Slowed], float]) -> None:
    for method in dict.fromkeys(setting.method for setting in solved.settings):
        own = sorted((setting for setting in solved.settings if setting.method == method), key=along)
        draw_line(axes, [along(setting) for setting in own], [solved.rate(setting) for setting in own], method)
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    use_percent_axis(axes)
