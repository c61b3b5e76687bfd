"""The picture of the execution methods: solve rate against delay and against execution horizon, and task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chunkenv.bench.analysis.solve_rates import Setting, Solved
from chunkenv.bench.report.plots.headline import shares
from chunkenv.bench.report.plots.method_figure import lines_of, method_figure
from chunkenv.bench.report.plots.method_lines import Points, describe_lines, draw_methods, label_ends
from chunkenv.bench.report.plots.plot_style import STYLE, save_png, use_percent_axis


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
        save_png(draw_rtc(solved, caption), path, describe_rtc(solved))


def draw_rtc(solved: Solved[Setting], caption: str) -> Figure:
    """The picture as a figure."""
    figure, main, side, tasks = method_figure(solved.tasks, _headline(solved), caption)
    by_delay, by_horizon = sweeps(solved.settings)
    lines = lines_of(solved, by_delay, _delay)
    _draw(main, lines, "inference delay d (control ticks); s = max(1, d) grows with it")
    along_horizon = lines_of(solved, by_horizon, _horizon)
    _draw(side, along_horizon, _constant_delay(by_horizon))
    label_ends(*((side, along_horizon) if by_horizon else (main, lines)))
    for task, axes in tasks.items():
        _draw(axes, lines_of(solved, by_delay, _delay, task), "", large=False)
    return figure


def describe_rtc(solved: Solved[Setting]) -> str:
    """The picture in words: every line of its large panels."""
    by_delay, by_horizon = sweeps(solved.settings)
    text = f"{_headline(solved)}. Solve rate against the inference delay, with execution horizon max(1, delay): "
    text += describe_lines(lines_of(solved, by_delay, _delay))
    if by_horizon:
        text += f" Against the execution horizon, at a delay of {by_horizon[0].delay}: "
        text += describe_lines(lines_of(solved, by_horizon, _horizon))
    return text + f" Small panels show the first for each of {len(solved.tasks)} tasks." * (len(solved.tasks) > 1)


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


def _draw(axes: Axes, lines: Mapping[str, Points], label: str, large: bool = True) -> None:
    draw_methods(axes, lines, large)
    use_percent_axis(axes)
    axes.set_xticks(sorted({place for places, _ in lines.values() for place in places}))
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
