"""The plots of assignments 2 and 3: returns by how an episode is cut, and gains of paired episodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chunkenv.course.delay_curves import STYLES, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULES = {"right": "sum of gamma**i * r", "sum": "sum of r", "late": "gamma**n * sum of r"}


def draw_cuts(
    return_in_chunks: Callable[[list[float], list[int], float, str], float],
    rewards: Sequence[float],
    gamma: float,
    path: Path | None = None,
) -> Figure:
    """The return of one episode by how many ticks its decisions last, by each rule: only the right one is level.

    Args:
        return_in_chunks: what the student wrote; takes rewards, lengths, gamma and a rule.
        rewards: of all ticks.
        gamma: the discount of one tick.
        path: where the picture is saved; None saves none.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    lasting = range(1, len(rewards) + 1)
    for (rule, label), (marker, line) in zip(RULES.items(), STYLES, strict=False):
        returns = [return_in_chunks(list(rewards), cut(len(rewards), ticks), gamma, rule) for ticks in lasting]
        axes.plot(lasting, returns, marker=marker, linestyle=line, label=label)
    axes.set(xlabel="ticks of a decision", ylabel="return of the same episode")
    axes.legend()
    return save_figure(figure, path)


def cut(ticks: int, length: int) -> list[int]:
    """An episode in decisions of one length, the last of which may be shorter.

    >>> cut(7, 3)
    [3, 3, 1]
    """
    return [min(length, ticks - start) for start in range(0, ticks, length)]


def draw_gains(
    first: np.ndarray,
    second: np.ndarray,
    mean_low_high: Sequence[float],
    path: Path | None = None,
) -> Figure:
    """What one controller gets more than another, episode by episode, from the least to the most; and the interval.

    Args:
        first: returns [N].
        second: returns [N] of the same episodes.
        mean_low_high: of first - second, as the student computed them.
        path: where the picture is saved; None saves none.
    """
    import matplotlib.pyplot as plt

    mean, low, high = mean_low_high
    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    axes.plot(np.sort(first - second), ".", color="0.3", label="episodes")
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.axhline(mean, color="black", linestyle="--", label="mean, 95 % interval")
    axes.axhspan(low, high, color="0.8")
    axes.set(xlabel="episodes, from the least gain to the most", ylabel="gain in return")
    axes.legend()
    return save_figure(figure, path)
