"""The picture of the execution methods: solve rate against delay and against execution horizon, and task by task."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chunkenv.bench.analysis.solve_rates import Setting, Solved
from chunkenv.bench.report.headline import shares
from chunkenv.bench.report.plot_style import (
    FAINT,
    STYLE,
    draw_line,
    label_ends,
    save_png,
    use_percent_axis,
    wrap_caption,
)

COLUMNS = 6

Along = Callable[[Setting], int]


def plot_rtc(solved: Solved[Setting], path: Path, caption: str) -> None:
    """Draw a study of execution methods as a PNG; the file is written atomically.

    Args:
        solved: what was solved.
        path: of the PNG.
        caption: a line below: how the rows were made.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    with rc_context(STYLE):
        save_png(draw_rtc(solved, caption), path)


def draw_rtc(solved: Solved[Setting], caption: str) -> Figure:
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
    figure.text(0.05, 0.015, wrap_caption(caption), fontsize=8.5, color=FAINT, va="bottom")
    return figure


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
    axes: Axes, solved: Solved[Setting], settings: Sequence[Setting], along: Along, label: str, task: str | None = None
) -> None:
    """A line with its band for each method."""
    for method in dict.fromkeys(setting.method for setting in settings):
        own = sorted((setting for setting in settings if setting.method == method), key=along)
        rates = [solved.rate(setting, task) for setting in own]
        draw_line(axes, [along(setting) for setting in own], rates, method, large=task is None)
    places = sorted({along(setting) for setting in settings})
    use_percent_axis(axes)
    axes.set_xticks(places)
    axes.set_xlabel(label)


def _headline(solved: Solved[Setting]) -> str:
    """The methods that solve most at the largest delay."""
    by_delay, _ = sweeps(solved.settings)
    late = max(setting.delay for setting in by_delay)
    settings = {setting.method: setting for setting in by_delay if setting.delay == late}
    rates = {method: solved.rate(setting) for method, setting in settings.items()}
    ranked = sorted(rates, key=lambda method: rates[method].estimate, reverse=True)[:4]
    text = shares(
        {method: rates[method] for method in ranked},
        lambda first, second: solved.contrast([settings[first]], [settings[second]]),
    )
    episodes = solved.known(settings[ranked[0]])
    return f"Solved at a delay of {late} tick{'s' * (late != 1)}, {episodes} episodes each: {text}"
