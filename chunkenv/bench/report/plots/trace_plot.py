"""The picture of a recording of latencies: how long inferences take, which models fit, when, and in ticks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from chunkenv.bench.report.plots.plot_style import FAINT, INK, PALETTE, STYLE, save_png, use_percent_axis, wrap_caption
from chunkenv.latency.delay_shares import RATES, delay_shares
from chunkenv.latency.fitting import Fit, quantiles_of

SHOWN_FITS = 3
SHARES = tuple(np.concatenate([[0.001], np.arange(1, 100) / 100, [0.995, 0.999]]).tolist())
MOST_TICKS = 8
"""Of a delay that has a segment of its own."""
MOST_LINES = 12
"""Of ticks in the picture of the sequence: more would hide it."""
TICK_COLOURS = ("#fde725", "#aadc32", "#5ec962", "#21918c", "#2c728e", "#3b528b", "#472d7b", "#440154", "#222222")
"""Of delays of 0, 1, ... ticks: viridis, which is read by its lightness as well."""


def plot_trace(
    episodes: Sequence[Sequence[float]], fits: Sequence[Fit], title: str, path: Path, control_dt: float | None = None
) -> None:
    """Draw a recording as a PNG; the file is written atomically.

    Args:
        episodes: seconds of each episode, in their order.
        fits: the models that were fitted, the best first.
        title: what was recorded.
        path: of the PNG.
        control_dt: seconds per tick of the recording, for the lines at which a delay grows; None if unknown.

    Raises:
        ArgumentError: if the file cannot be written.
    """
    with rc_context(STYLE):
        save_png(draw_trace(episodes, fits, title, control_dt), path, f"{title}. {_headline(_joined(episodes))}.")


def draw_trace(
    episodes: Sequence[Sequence[float]], fits: Sequence[Fit], title: str, control_dt: float | None = None
) -> Figure:
    """The picture as a figure."""
    figure = Figure(figsize=(14, 9))
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, 2, left=0.06, right=0.98, top=0.87, bottom=0.12, hspace=0.36, wspace=0.16, height_ratios=[1.25, 1]
    )
    seconds = _joined(episodes)
    _draw_distribution(figure.add_subplot(grid[0, 0]), seconds, fits)
    _draw_ticks(figure.add_subplot(grid[0, 1]), seconds)
    _draw_sequence(figure.add_subplot(grid[1, :]), episodes, control_dt)
    figure.text(0.06, 0.955, title, fontsize=14, fontweight="bold", va="center")
    figure.text(0.06, 0.92, _headline(seconds), fontsize=10.5, color=FAINT, va="center")
    figure.text(0.06, 0.02, wrap_caption(_caption(episodes, control_dt)), fontsize=8.5, color=FAINT, va="bottom")
    return figure


def milliseconds(seconds: float) -> str:
    """A latency as it is read: three digits.

    >>> milliseconds(0.0312345), milliseconds(1.25)
    ('31.2 ms', '1250 ms')
    """
    value = 1e3 * seconds
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def _joined(episodes: Sequence[Sequence[float]]) -> np.ndarray:
    return np.concatenate([np.asarray(episode, np.float64) for episode in episodes])


def _headline(seconds: np.ndarray) -> str:
    median, tail, slowest = (milliseconds(float(np.quantile(seconds, share))) for share in (0.5, 0.99, 1.0))
    return f"{len(seconds):,} inferences: half take at most {median}, 99 % at most {tail}; the slowest took {slowest}"


def _draw_distribution(axes: Axes, seconds: np.ndarray, fits: Sequence[Fit]) -> None:
    for fit, colour in reversed(list(zip(fits[:SHOWN_FITS], PALETTE, strict=False))):
        places = [1e3 * place for place in quantiles_of(fit.model, SHARES)]
        first = fit is fits[0]
        axes.plot(
            places,
            [100 * share for share in SHARES],
            color=colour,
            linewidth=2.4 if first else 1.3,
            linestyle="-" if first else "--",
            label=f"{fit.name}: largest gap {milliseconds(fit.gap)}",
            zorder=3 if first else 2,
        )
    places = 1e3 * np.sort(seconds)
    axes.step(
        np.concatenate([places[:1], places]),
        100 * np.arange(len(places) + 1) / len(places),
        where="post",
        color=INK,
        linewidth=1.2,
        label="recorded",
        zorder=4,
    )
    use_percent_axis(axes)
    _set_seconds_axis(axes, places)
    axes.set_title("How long an inference takes, and which models fit", loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel("latency (ms)")
    axes.set_ylabel("share that takes at most so long")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False, fontsize=9, loc="lower right")


def _set_seconds_axis(axes: Axes, places: np.ndarray) -> None:
    """As much as was recorded, with logarithms where the slowest would hide the others."""
    low, high = float(places[0]), float(places[-1])
    if low > 0.0 and high > 6.0 * float(np.median(places)):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlim(low / 1.1, high * 1.1)
        return
    margin = 0.06 * (high - low) or 0.1 * high or 1.0
    axes.set_xlim(max(low - margin, 0.0), high + margin)


def _draw_ticks(axes: Axes, seconds: np.ndarray) -> None:
    """A bar for each control rate, cut by the delay in ticks."""
    for row, rate in enumerate(RATES):
        start = 0.0
        for delay, share in _capped(delay_shares(seconds.tolist(), rate)):
            axes.barh(row, 100 * share, left=start, height=0.62, color=TICK_COLOURS[delay], edgecolor="white")
            if share >= 0.045:
                text = f"{delay}+" if delay == MOST_TICKS else f"{delay}"
                ink = INK if delay < 3 else "white"
                axes.text(start + 50 * share, row, text, ha="center", va="center", color=ink, fontweight="bold")
            start += 100 * share
    axes.set_yticks(range(len(RATES)), [f"{rate} Hz" for rate in RATES])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("share of inferences")
    axes.set_title("The same as a delay in control ticks, by control rate", loc="left", fontsize=10, fontweight="bold")


def _capped(shares: dict[int, float]) -> list[tuple[int, float]]:
    """Shares of delays, those of the longest together."""
    capped: dict[int, float] = {}
    for delay, share in shares.items():
        capped[min(delay, MOST_TICKS)] = capped.get(min(delay, MOST_TICKS), 0.0) + share
    return list(capped.items())


def _draw_sequence(axes: Axes, episodes: Sequence[Sequence[float]], control_dt: float | None) -> None:
    start, highest = 0, 1e3 * max(max(episode) for episode in episodes)
    size = 9 if sum(map(len, episodes)) < 1000 else 3
    for number, episode in enumerate(episodes):
        if number % 2:
            axes.axvspan(start - 0.5, start + len(episode) - 0.5, color="#f4f4f4", linewidth=0, zorder=0)
        places = np.arange(start, start + len(episode))
        axes.scatter(places, 1e3 * np.asarray(episode), s=size, color=PALETTE[0], linewidths=0, zorder=3)
        start += len(episode)
    axes.set_xlim(-0.5, start - 0.5)
    axes.set_ylim(0, 1.06 * highest or 1.0)
    if control_dt is not None and highest <= MOST_LINES * 1e3 * control_dt:
        _draw_tick_lines(axes, 1e3 * control_dt)
    axes.set_xlabel("inference, in the order of the requests")
    axes.set_ylabel("latency (ms)")
    axes.set_title("One after the other: do slow ones come together?", loc="left", fontsize=10, fontweight="bold")


def _draw_tick_lines(axes: Axes, period: float) -> None:
    """Lines at whole ticks, numbered on the right."""
    axes.annotate("tick", (1.003, 0), xycoords=("axes fraction", "data"), color=FAINT, fontsize=8, va="center")
    for tick in range(1, int(axes.get_ylim()[1] / period) + 1):
        axes.axhline(period * tick, color="#d0d0d0", linewidth=0.8, zorder=1)
        axes.annotate(
            f"{tick}",
            (1.003, period * tick),
            xycoords=("axes fraction", "data"),
            color=FAINT,
            fontsize=8,
            va="center",
            annotation_clip=False,
        )


def _caption(episodes: Sequence[Sequence[float]], control_dt: float | None) -> str:
    lines = (
        ""
        if control_dt is None
        else f"Lines are ticks of {milliseconds(control_dt)}: above line d the delay is d + 1 ticks. "
    )
    shades = "Shades are episodes. " if len(episodes) > 1 else ""
    return (
        f"{shades}{lines}A latency is a delay of as many whole ticks as it covers, rounded up. Models are fitted by "
        "maximum likelihood, and stand in the order in which they predict latencies that they were not fitted to."
    )
