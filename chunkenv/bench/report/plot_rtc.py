"""The picture of the execution methods: solve rate against delay and against execution horizon, and task by task."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.analysis.solve_rates import Setting, Solved
from chunkenv.bench.report.plot_delay import FAINT, STYLE, save

COLOURS = {
    "rtc": "#D55E00",
    "training-time-rtc": "#0072B2",
    "hard-masking": "#E69F00",
    "bid": "#009E73",
    "naive": "#000000",
    "synchronous": "#8a8a8a",
    "ensembling": "#CC79A7",
}
"""Of Okabe and Ito's palette, which colour-blind readers tell apart; a method has the same colour in every picture."""
COLUMNS = 6

Along = Callable[[Setting], int]


def plot_rtc(solved: Solved, path: Path, caption: str) -> None:
    """Draw a study of execution methods as a PNG; the file is written atomically.

    Args:
        solved: what was solved.
        path: of the PNG.
        caption: a line below: how the rows were made.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    with rc_context(STYLE):
        save(draw_rtc(solved, caption), path)


def draw_rtc(solved: Solved, caption: str) -> Figure:
    """The picture as a figure."""
    tasks = solved.tasks if len(solved.tasks) > 1 else []
    lines = math.ceil(len(tasks) / COLUMNS)
    figure = Figure(figsize=(14, 5.6 + 1.9 * lines))
    FigureCanvasAgg(figure)
    height = [5.0, *([1.7] * lines)]
    grid = figure.add_gridspec(1 + lines, COLUMNS, left=0.05, right=0.87, top=0.9, bottom=0.1, height_ratios=height,
                               hspace=0.55, wspace=0.25)  # fmt: skip
    by_delay, by_horizon = sweeps(solved.settings)
    half = COLUMNS // 2
    main = figure.add_subplot(grid[0, :half])
    _draw(main, solved, by_delay, _delay, "inference delay d (control ticks), s = max(1, d)")
    side = figure.add_subplot(grid[0, half:], sharey=main)
    _draw(side, solved, by_horizon, _horizon, _constant_delay(by_horizon))
    label_ends(side if by_horizon else main, solved, by_horizon or by_delay, _horizon if by_horizon else _delay)
    for index, task in enumerate(tasks):
        axes = figure.add_subplot(grid[1 + index // COLUMNS, index % COLUMNS])
        _draw(axes, solved, by_delay, _delay, "", task)
        axes.set_title(task.removeprefix("mjc_").replace("_", " "), loc="left", fontsize=9, pad=4)
        axes.tick_params(labelsize=8, labelleft=index % COLUMNS == 0)
    figure.text(0.05, 0.955, _headline(solved), fontsize=14, fontweight="bold", va="center")
    figure.text(0.05, 0.015, wrapped(caption), fontsize=8.5, color=FAINT, va="bottom")
    return figure


def wrapped(caption: str) -> str:
    """A caption in lines that fit below a picture of fourteen inches."""
    return "\n".join(textwrap.wrap(caption, 170, break_on_hyphens=False))


def sweeps(settings: Sequence[Setting]) -> tuple[list[Setting], list[Setting]]:
    """The settings along the delay, with s = max(1, d), and those along s at the delay that has most of them."""
    by_delay = [setting for setting in settings if setting.execution_horizon == max(1, setting.delay)]
    delays = [setting.delay for setting in settings if setting.delay > 0] or [0]
    commonest = max(sorted(set(delays)), key=delays.count)
    by_horizon = [setting for setting in settings if setting.delay == commonest]
    return by_delay, by_horizon


def _delay(setting: Setting) -> int:
    return setting.delay


def _horizon(setting: Setting) -> int:
    return setting.execution_horizon


def _constant_delay(settings: Sequence[Setting]) -> str:
    return f"execution horizon s (control ticks), d = {settings[0].delay}" if settings else ""


def _draw(
    axes: Axes, solved: Solved, settings: Sequence[Setting], along: Along, label: str, task: str | None = None
) -> None:
    """A line with its band for each method."""
    for method in dict.fromkeys(setting.method for setting in settings):
        own = sorted((setting for setting in settings if setting.method == method), key=along)
        rates = [solved.rate(setting, task) for setting in own]
        draw_line(axes, [along(setting) for setting in own], rates, method, large=task is None)
    places = sorted({along(setting) for setting in settings})
    axes.set_ylim(0, 104)
    axes.set_yticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.set_xticks(places)
    axes.set_xlabel(label)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def draw_line(axes: Axes, places: Sequence[float], rates: Sequence[Interval], method: str, large: bool = True) -> None:
    """A method's solve rates with their band."""
    colour = COLOURS.get(method, FAINT)
    low, high = [100 * rate.low for rate in rates], [100 * rate.high for rate in rates]
    axes.fill_between(places, low, high, color=colour, alpha=0.14 if large else 0.06, linewidth=0)
    (line,) = axes.plot(places, [100 * rate.estimate for rate in rates], color=colour, marker="o", clip_on=False)
    line.set(linewidth=2.2 if large else 1.3, markersize=5.5 if large else 2.8)
    line.set(markeredgecolor="white", markeredgewidth=0.5)


def label_ends(axes: Axes, solved: Solved, settings: Sequence[Any], along: Callable[[Any], float]) -> None:
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
            color=COLOURS.get(method, FAINT),
            fontweight="bold",
            fontsize=9,
            annotation_clip=False,
        )


def _headline(solved: Solved) -> str:
    """Who solves most at the largest delay."""
    by_delay, _ = sweeps(solved.settings)
    late = max(setting.delay for setting in by_delay)
    rates = {setting.method: solved.rate(setting).estimate for setting in by_delay if setting.delay == late}
    ranked = sorted(rates, key=rates.__getitem__, reverse=True)
    shares = ", ".join(f"{method} {100 * rates[method]:.0f} %" for method in ranked[:4])
    return f"Solved at a delay of {late} tick{'s' * (late != 1)}: {shares}"
