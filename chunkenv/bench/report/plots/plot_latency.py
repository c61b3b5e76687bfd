"""The picture of delays that vary: solve rate by the shape of the latency, and which delay to plan with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chunkenv.bench.analysis.planned_delays import LateSetting, Planning, compare_plans
from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.delay_tables import points
from chunkenv.bench.report.plots.method_figure import lines_of
from chunkenv.bench.report.plots.method_lines import Points, describe_lines, draw_methods, label_ends, style_of
from chunkenv.bench.report.plots.plot_style import FAINT, STYLE, save_png, use_percent_axis, wrap_caption

TITLE = "Solved when delays vary"
PLANS = {"expected": "planned with the expected delay", "largest": "planned with the largest delay"}
PANEL, GAIN = 4.2, 0.3
"""Inches of a panel's height, and of a method's line in the last one."""


def plot_latency(solved: Solved[LateSetting], path: Path, caption: str) -> None:
    """Draw the study as a PNG; the file is written atomically.

    Args:
        solved: what was solved.
        path: of the PNG.
        caption: a line below: how the rows were made.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    with rc_context(STYLE):
        save_png(draw_latency(solved, caption), path, describe_latency(solved))


def draw_latency(solved: Solved[LateSetting], caption: str) -> Figure:
    """The picture as a figure: a line of panels for each mean delay, and the paired differences of the two plans."""
    delays, planning = _mean_delays(solved), compare_plans(solved)
    heights = [PANEL] * len(delays) + [1 + GAIN * len(planning)] * bool(planning)
    tall = 2.0 + 1.3 * sum(heights)
    figure = Figure(figsize=(14, tall))
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(heights), 2, left=0.1, right=0.83, top=1 - 1.0 / tall, bottom=1.05 / tall,
                               height_ratios=heights, hspace=0.28, wspace=0.08)  # fmt: skip
    for line, delay in enumerate(delays):
        for column, plan in enumerate(PLANS):
            _draw(figure.add_subplot(grid[line, column]), solved, delay, plan)
    if planning:
        _draw_gains(figure.add_subplot(grid[-1, :]), planning)
    figure.text(0.1, 1 - 0.42 / tall, TITLE, fontsize=14, fontweight="bold", va="center")
    figure.text(0.1, 0.1 / tall, wrap_caption(caption), fontsize=8.5, color=FAINT, va="bottom")
    return figure


def describe_latency(solved: Solved[LateSetting]) -> str:
    """The picture in words: every panel's lines, and the differences."""
    shapes = ", ".join(f"{place} is {name}" for place, name in enumerate(_shapes(solved)))
    panels = [
        f"{delay} ticks on average, {words}: {describe_lines(_lines(solved, delay, plan))}"
        for delay in _mean_delays(solved)
        for plan, words in PLANS.items()
    ]
    gains = [f"{each.method} {points(each.overall)}" for each in compare_plans(solved)]
    ends = [f"With the largest delay planned minus with the expected one, in points: {', '.join(gains)}."] * bool(gains)
    return " ".join([f"{TITLE}, by latency: {shapes}.", *panels, *ends])


def _mean_delays(solved: Solved[LateSetting]) -> list[int]:
    return sorted({each.mean_delay for each in solved.settings})


def _shapes(solved: Solved[LateSetting]) -> list[str]:
    return list(dict.fromkeys(each.latency for each in solved.settings))


def _lines(solved: Solved[LateSetting], delay: int, plan: str) -> dict[str, Points]:
    """The methods at one mean delay, by latency; a constant one, planned for in one way, stands in both panels."""
    shapes = _shapes(solved)
    here = [each for each in solved.settings if each.mean_delay == delay]
    shown = [each for each in here if each.plans_with == plan or each.latency == "constant"]
    return lines_of(solved, shown, lambda each: shapes.index(each.latency))


def _draw(axes: Axes, solved: Solved[LateSetting], delay: int, plan: str) -> None:
    """A panel; the right one of a line has the names."""
    shapes, lines = _shapes(solved), _lines(solved, delay, plan)
    draw_methods(axes, lines)
    axes.set_xticks(range(len(shapes)), shapes)
    use_percent_axis(axes)
    title = f"{delay} tick{'s' * (delay != 1)} on average, {PLANS[plan]}"
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    if plan == "largest":
        label_ends(axes, lines)


def _draw_gains(axes: Axes, planning: Sequence[Planning]) -> None:
    """What planning with the largest delay gains, in points, a line for each method."""
    for place, each in enumerate(reversed(planning)):
        gain, (colour, marker, _) = each.overall, style_of(each.method)
        axes.plot([100 * gain.low, 100 * gain.high], [place, place], color=colour, linewidth=2.2)
        axes.plot([100 * gain.estimate], [place], color=colour, marker=marker, markersize=7, markeredgecolor="white")
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(planning)), [each.method for each in reversed(planning)])
    axes.set_ylim(-0.6, len(planning) - 0.4)
    axes.set_xlabel("solved with the largest delay planned, minus with the expected one: points, 95 % interval, paired")
    axes.set_title("Which delay to plan with", loc="left", fontsize=10, fontweight="bold")
