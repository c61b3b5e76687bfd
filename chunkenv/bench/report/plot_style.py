"""What the plots share: their style, colours, axes, lines, and how they are saved."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.utils.files import atomic_file

INK, FAINT = "#222222", "#8a8a8a"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8a8a8a")
"""Okabe and Ito's palette, which colour-blind readers tell apart."""
METHOD_COLOURS = {
    "rtc": "#D55E00",
    "training-time-rtc": "#0072B2",
    "hard-masking": "#E69F00",
    "bid": "#009E73",
    "naive": "#000000",
    "synchronous": "#8a8a8a",
    "ensembling": "#CC79A7",
}
"""A method has the same colour in every picture."""
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
}


class MethodSetting(Protocol):
    """A setting of a method, as a tuple."""

    @property
    def method(self) -> str:
        """The name of the method."""
        ...

    def __hash__(self) -> int: ...


M = TypeVar("M", bound=MethodSetting)


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG; the file is written atomically.

    Raises:
        ArgumentError: if it cannot be written.
    """
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=150, facecolor="white")


def wrap_caption(caption: str) -> str:
    """A caption in lines that fit below a picture of fourteen inches."""
    return "\n".join(textwrap.wrap(caption, 170, break_on_hyphens=False))


def use_percent_axis(axes: Axes) -> None:
    """A vertical axis of solve rates in percent."""
    axes.set_ylim(0, 104)
    axes.set_yticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def draw_line(axes: Axes, places: Sequence[float], rates: Sequence[Interval], method: str, large: bool = True) -> None:
    """A method's solve rates with their band."""
    colour = METHOD_COLOURS.get(method, FAINT)
    low, high = [100 * rate.low for rate in rates], [100 * rate.high for rate in rates]
    axes.fill_between(places, low, high, color=colour, alpha=0.14 if large else 0.06, linewidth=0)
    (line,) = axes.plot(places, [100 * rate.estimate for rate in rates], color=colour, marker="o", clip_on=False)
    line.set(linewidth=2.2 if large else 1.3, markersize=5.5 if large else 2.8)
    line.set(markeredgecolor="white", markeredgewidth=0.5)


def label_ends(axes: Axes, solved: Solved[M], settings: Sequence[M], along: Callable[[M], float]) -> None:
    """Name each line at its right end, moved apart where they would overlap."""
    ends = []
    for method in dict.fromkeys(setting.method for setting in settings):
        last = max((setting for setting in settings if setting.method == method), key=along)
        ends.append((100 * solved.rate(last).estimate, along(last), method))
    low = -math.inf
    for rate, place, method in sorted(ends):
        low = max(rate, low + 6.0)
        axes.annotate(
            f"{method} {rate:.0f} %",
            (place, low),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=METHOD_COLOURS.get(method, FAINT),
            fontweight="bold",
            fontsize=9,
            annotation_clip=False,
        )
