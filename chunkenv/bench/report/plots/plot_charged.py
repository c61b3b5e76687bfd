"""The picture of charged latency: solve rate against how many times as slow as now the policy would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.plots.method_figure import lines_of, method_figure
from chunkenv.bench.report.plots.method_lines import Points, describe_lines, draw_methods, label_ends
from chunkenv.bench.report.plots.plot_style import STYLE, save_png, use_percent_axis

TICKS = (0.25, 0.5, 1, 2, 4, 8)
TITLE = "Every method pays for its own inference"


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
        save_png(draw_charged(solved, traces, control_dt, caption), path, describe_charged(solved))


def draw_charged(
    solved: Solved[Slowed], traces: Mapping[str, Sequence[float]], control_dt: float, caption: str
) -> Figure:
    """The picture as a figure: against each method's own delay, and against the slowdown that they share; by task."""
    figure, left, right, tasks = method_figure(solved.tasks, TITLE, caption)
    medians = {method: float(np.median(trace)) for method, trace in traces.items()}
    slowdowns = sorted({setting.slowdown for setting in solved.settings})
    own = lines_of(solved, solved.settings, lambda setting: setting.slowdown * medians[setting.method] / control_dt)
    _draw(left, own, TICKS)
    left.set_xlabel("median latency of the method itself, in control ticks")
    shared = lines_of(solved, solved.settings, _slowdown)
    _draw(right, shared, slowdowns)
    right.set_xlabel("times as slow as measured")
    label_ends(right, shared)
    for task, axes in tasks.items():
        _draw(axes, lines_of(solved, solved.settings, _slowdown, task), slowdowns, large=False)
    return figure


def describe_charged(solved: Solved[Slowed]) -> str:
    """The picture in words: every line of its right panel."""
    lines = lines_of(solved, solved.settings, _slowdown)
    return f"{TITLE}. Solve rate against how many times as slow as measured: {describe_lines(lines)}"


def _slowdown(setting: Slowed) -> float:
    return setting.slowdown


def _draw(axes: Axes, lines: Mapping[str, Points], ticks: Sequence[float], large: bool = True) -> None:
    draw_methods(axes, lines, large)
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{place:g}" for place in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    use_percent_axis(axes)
