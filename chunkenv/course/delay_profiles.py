"""Delay profiles and solve rates by latency model: the plots of assignment 5, and those of the leaderboard."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chunkenv.bench.analysis.intervals import wilson
from chunkenv.course.delay_curves import STYLES, save_figure
from chunkenv.latency import Delays, LatencyModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 3.7, 1.7
"""Inches of one profile: a telephone shows it whole."""


def sample_delays(model: LatencyModel, control_dt: float, count: int, seed: int) -> list[int]:
    """Delays of inferences that follow each other, in ticks.

    Args:
        model: of their latencies.
        control_dt: seconds of a tick.
        count: of inferences, at least 1.
        seed: of the draws.

    >>> from chunkenv.latency import Constant
    >>> sample_delays(Constant(0.05), 0.02, 3, seed=0)
    [3, 3, 3]
    """
    delays = Delays(model, control_dt)
    delays.reset(np.random.default_rng(seed))
    return [delays.next_whole() for _ in range(count)]


def draw_profiles(profiles: Mapping[str, Sequence[int]], path: Path | None = None) -> Figure:
    """The delay profile of each latency model: one inference after the other, and how often each delay comes.

    Args:
        profiles: by name the delays in ticks, in their order; at least one name.
        path: where the picture is saved; None saves none.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT * len(profiles)), layout="constrained")
    most = max(max(delays) for delays in profiles.values())
    grid = figure.subplots(len(profiles), 2, squeeze=False, width_ratios=[2.2, 1])
    for (name, delays), (sequence, shares) in zip(profiles.items(), grid, strict=True):
        _draw_sequence(sequence, name, delays, most)
        _draw_shares(shares, delays, most)
    return save_figure(figure, path)


def _draw_sequence(axes: Axes, name: str, delays: Sequence[int], most: int) -> None:
    axes.step(range(1, len(delays) + 1), delays, where="mid", color="black", linewidth=0.9)
    axes.set(xlabel="inference", ylabel="delay (ticks)", ylim=(-0.4, most + 0.6))
    axes.set_title(name, loc="left", fontsize=10, fontweight="bold")


def _draw_shares(axes: Axes, delays: Sequence[int], most: int) -> None:
    shares = np.bincount(delays, minlength=most + 1) / len(delays)
    axes.barh(range(most + 1), 100 * shares, color="0.45")
    axes.set(xlabel="share (%)", ylim=(-0.4, most + 0.6))


def describe_profile(delays: Sequence[int]) -> str:
    """A profile in words.

    >>> describe_profile([2, 2, 3, 9])
    '2 to 9 ticks, 4.0 on average'
    """
    return f"{min(delays)} to {max(delays)} ticks, {np.mean(delays):.1f} on average"


def draw_profile_svg(name: str, delays: Sequence[int]) -> bytes:
    """One profile as SVG: the same bytes for the same delays."""
    from matplotlib import rc_context

    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "chunkenv"}):
        draw_profiles({name: delays}).savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def draw_by_model(counts: Mapping[str, Mapping[str, tuple[int, int]]], path: Path | None = None) -> Figure:
    """Solve rates by latency model, with Wilson's 95 % intervals; policies differ by their markers, too.

    Args:
        counts: by policy and latency model how many episodes were solved, and of how many.
        path: where the picture is saved; None saves none.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    models = list(dict.fromkeys(model for board in counts.values() for model in board))
    for place, (policy, board) in enumerate(counts.items()):
        rates = [wilson(*board[model]) for model in board]
        across = [models.index(model) + 0.12 * (place - (len(counts) - 1) / 2) for model in board]
        reach = [[r.estimate - r.low for r in rates], [r.high - r.estimate for r in rates]]
        marker = STYLES[place % len(STYLES)][0]
        axes.errorbar(across, [r.estimate for r in rates], reach, fmt=marker, capsize=3, label=policy)
    axes.set(ylabel="solve rate", ylim=(-0.03, 1.03), xlim=(-0.5, len(models) - 0.5))
    axes.set_xticks(range(len(models)), models)
    axes.legend()
    return save_figure(figure, path)
