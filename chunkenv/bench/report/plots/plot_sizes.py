"""The picture of charged latency by the size of the network: solve rate on the machine as it is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.plots.method_figure import lines_of
from chunkenv.bench.report.plots.method_lines import describe_lines, draw_methods, label_ends
from chunkenv.bench.report.plots.plot_style import FAINT, STYLE, save_png, use_percent_axis, wrap_caption

TITLE = "Every method pays for its own inference: the time of networks of several sizes, as measured"
ALONG = "million parameters of the network whose time is charged; what plays is the same policy"


class Sized(NamedTuple):
    """What a solve rate is of."""

    method: str
    size: float


def plot_sizes(solved: Solved[Sized], path: Path, caption: str) -> None:
    """Draw the solve rates by size as a PNG; the file is written atomically.

    Args:
        solved: what was solved, by `Sized`.
        path: of the PNG.
        caption: lines below: how the rows were made.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    lines = lines_of(solved, solved.settings, _size)
    with rc_context(STYLE):
        save_png(draw_sizes(solved, caption), path, f"{TITLE}. Solve rate against {ALONG}: {describe_lines(lines)}")


def draw_sizes(solved: Solved[Sized], caption: str) -> Figure:
    """The picture as a figure."""
    figure = Figure(figsize=(14, 6.4))
    FigureCanvasAgg(figure)
    _draw(figure.add_axes((0.05, 0.2, 0.76, 0.66)), solved)
    figure.text(0.05, 0.94, TITLE, fontsize=14, fontweight="bold", va="center")
    figure.text(0.05, 0.02, wrap_caption(caption), fontsize=8.5, color=FAINT, va="bottom")
    return figure


def _draw(axes: Axes, solved: Solved[Sized]) -> None:
    lines = lines_of(solved, solved.settings, _size)
    sizes = sorted({setting.size for setting in solved.settings})
    draw_methods(axes, lines)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(ALONG)
    use_percent_axis(axes)
    label_ends(axes, lines)


def _size(setting: Sized) -> float:
    return setting.size
