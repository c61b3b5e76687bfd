"""One picture of a study: the solve rate against the delay, pooled over the tasks, and beside it task by task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecBase

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.analysis.solve_rates import Setting, pooled_rates, solve_difference
from chunkenv.bench.report.plots.headline import shares
from chunkenv.bench.report.plots.method_lines import describe_lines
from chunkenv.bench.report.plots.plot_style import FAINT, PALETTE, STYLE, save_png, use_percent_axis
from chunkenv.evaluate import Row

COLUMNS = 4


def plot_delay(rows: Sequence[Row], path: Path, caption: str) -> None:
    """Draw rows of one execution horizon as a PNG; the file is written atomically.

    Args:
        rows: of all tasks, the same number of episodes in every cell.
        path: of the PNG.
        caption: a line below: how the rows were made.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    with rc_context(STYLE):
        save_png(draw_delay(rows, caption), path, describe_delay(rows))


def draw_delay(rows: Sequence[Row], caption: str) -> Figure:
    """The picture as a figure: a panel of everything, and a small one for each task if there are several."""
    tasks, methods = _distinct(rows, "task"), _distinct(rows, "method")
    several = len(tasks) > 1
    figure = Figure(figsize=(13, 6.2) if several else (6.5, 6.2))
    FigureCanvasAgg(figure)
    sides = figure.add_gridspec(1, 2 if several else 1, left=0.058, right=0.985, bottom=0.17, top=0.815, wspace=0.3,
                                width_ratios=[1, 1.35] if several else [1])  # fmt: skip
    main = figure.add_subplot(sides[0])
    _draw_rates(main, rows, methods, large=True)
    _set_axes(main, rows)
    main.set_xlabel("inference delay (control ticks)")
    main.set_title("All tasks" if several else tasks[0], loc="left", fontsize=10, fontweight="bold", pad=10)
    if several:
        grid = sides[1].subgridspec(math.ceil(len(tasks) / COLUMNS), COLUMNS, hspace=0.42, wspace=0.14)
        _draw_tasks(figure, grid, rows, tasks, methods)
    _write_around(figure, rows, tasks, methods, caption)
    return figure


def describe_delay(rows: Sequence[Row]) -> str:
    """The picture in words: every line of its large panel."""
    methods, rates = _distinct(rows, "method"), pooled_rates(rows)
    lines = {}
    for method in methods:
        own = sorted(setting for setting in rates if setting.method == method)
        lines[method] = [setting.delay for setting in own], [rates[setting] for setting in own]
    along = f"Solve rate against the inference delay, at an execution horizon of {rows[0]['execution_horizon']}"
    return f"{headline(rows, methods)}. {along}: {describe_lines(lines)}"


def _draw_tasks(figure: Figure, grid: GridSpecBase, rows: Sequence[Row], tasks: list[str], methods: list[str]) -> None:
    for index, task in enumerate(tasks):
        axes = figure.add_subplot(grid[index // COLUMNS, index % COLUMNS])
        _draw_rates(axes, [row for row in rows if row["task"] == task], methods, large=False)
        _set_axes(axes, rows)
        axes.set_title(task.removeprefix("mjc_").replace("_", " "), loc="left", fontsize=9, pad=5)
        axes.tick_params(labelsize=8, labelleft=index % COLUMNS == 0, labelbottom=index + COLUMNS >= len(tasks))


def _draw_rates(axes: Axes, rows: Sequence[Row], methods: list[str], large: bool) -> None:
    """A line with its band for each method, the first method on top."""
    rates = pooled_rates(rows)
    ends: list[tuple[float, str, str]] = []
    for method, colour in reversed(list(zip(methods, PALETTE, strict=False))):
        settings = sorted(setting for setting in rates if setting.method == method)
        delays = [setting.delay for setting in settings]
        _draw_line(axes, delays, [rates[setting] for setting in settings], colour, large)
        ends.append((100 * rates[settings[-1]].estimate, method, colour))
    if large:
        _label_ends(axes, max(row["delay"] for row in rows), ends)


def _draw_line(axes: Axes, delays: list[int], rates: list[Interval], colour: str, large: bool) -> None:
    low, high = [100 * rate.low for rate in rates], [100 * rate.high for rate in rates]
    axes.fill_between(delays, low, high, color=colour, alpha=0.16 if large else 0.07, linewidth=0)
    (line,) = axes.plot(delays, [100 * rate.estimate for rate in rates], color=colour, marker="o", clip_on=False)
    line.set(linewidth=2.4 if large else 1.5, markersize=6.5 if large else 3.2)
    line.set(markeredgecolor="white", markeredgewidth=0.6)


def _label_ends(axes: Axes, delay: int, ends: list[tuple[float, str, str]]) -> None:
    """Name each line at its right end, moved apart where they would overlap."""
    gap, last = 12.0, -math.inf
    for rate, method, colour in sorted(ends):
        height = max(rate, last + gap)
        axes.annotate(
            f"{method}\n{rate:.0f} %",
            (delay, height),
            xytext=(10, 0),
            textcoords="offset points",
            color=colour,
            fontweight="bold",
            va="center",
            annotation_clip=False,
        )
        last = height


def _set_axes(axes: Axes, rows: Sequence[Row]) -> None:
    delays = sorted({row["delay"] for row in rows})
    use_percent_axis(axes)
    axes.set_xlim(delays[0] - 0.25, delays[-1] + 0.25)
    axes.set_xticks(delays)


def _write_around(figure: Figure, rows: Sequence[Row], tasks: list[str], methods: list[str], caption: str) -> None:
    count = f"{len(tasks)} tasks" if len(tasks) > 1 else tasks[0]
    size = 14 if len(tasks) > 1 else 8.5  # the picture of a single task is half as wide
    figure.text(0.02, 0.945, headline(rows, methods), fontsize=size, fontweight="bold", va="center")
    how = f"Share of episodes solved, pooled over {count}; bands: 95 % intervals (Wilson)"
    figure.text(0.02, 0.9, how, fontsize=10.5, color="#555555", va="center")
    figure.text(0.02, 0.03, caption, fontsize=8.5, color=FAINT, va="bottom")


def headline(rows: Sequence[Row], methods: Sequence[str]) -> str:
    """The solve rates at the largest delay, in one line."""
    delay, horizon = max(row["delay"] for row in rows), rows[0]["execution_horizon"]
    late = [row for row in rows if row["delay"] == delay]
    rates, settings = pooled_rates(late), {method: Setting(method, delay, horizon) for method in methods}
    text = shares(
        {method: rates[setting] for method, setting in settings.items()},
        lambda first, second: solve_difference(late, settings[first], settings[second]),
        "solves ",
    )
    episodes = sum(row["success"] is not None for row in late if row["method"] == methods[0])
    each = " each" * (len(methods) > 1)
    return f"At a delay of {_count(delay, 'tick')}, {_count(episodes, 'episode')}{each}: {text}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _distinct(rows: Sequence[Row], key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in rows))
