"""Returns and solve rates by delay, measured and drawn: the plots of assignment 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import gymnasium as gym

from chunkenv.evaluate import evaluate
from chunkenv.request import Policy
from chunkenv.wrappers import ChunkedExecution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HORIZON = 8
STYLES = (("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."))
"""Markers and lines that differ without colours."""
Curve: TypeAlias = Mapping[int, Sequence[float]]
"""For each delay in ticks a value of every episode."""


def cartpole_by_delay(policy: Policy, delays: Sequence[int], episodes: int, seed: int) -> dict[int, list[float]]:
    """Returns of a policy on CartPole, whose chunks have 8 rows.

    Args:
        policy: has `infer(observation, request)`.
        delays: in ticks; the next request comes after max(1, delay) of them.
        episodes: of each delay; the same worlds for every policy and delay.
        seed: of all.

    Returns:
        The returns of the episodes, each in [0, 500], by delay.
    """
    return {delay: _cartpole(policy, delay, episodes, seed) for delay in delays}


def _cartpole(policy: Policy, delay: int, episodes: int, seed: int) -> list[float]:
    def make() -> ChunkedExecution:
        return ChunkedExecution(gym.make("CartPole-v1"), HORIZON, max(1, delay), latency=delay)

    return [float(row["return"]) for row in evaluate(make, policy, episodes, seed)]


def kinetix_by_delay(level: str, delays: Sequence[int], episodes: int, seed: int) -> dict[int, list[float]]:
    """Successes (1.0 or 0.0) of the package's flow policy on a Kinetix level, asked naively (extra `agents`).

    Args:
        level: such as "cartpole_thrust".
        delays: in ticks, at most 4; the next request comes after max(1, delay) of them.
        episodes: of each delay.
        seed: of all.
    """
    from chunkenv.agents import load_pretrained
    from chunkenv.bench.studies import play_policy

    policy = load_pretrained(level)
    return {
        delay: [
            float(bool(row["success"]))
            for row in play_policy(level, policy, range(episodes), seed, execution_horizon=max(1, delay), latency=delay)
        ]
        for delay in delays
    }


def draw_by_delay(
    curves: Mapping[str, Curve],
    mean_and_error: Callable[[list[float]], tuple[float, float]],
    label: str,
    path: Path | None = None,
) -> Figure:
    """Means by delay, with 95 % intervals; the lines differ by markers and dashes, too.

    Args:
        curves: by name.
        mean_and_error: the mean of a list and its standard error: what the student wrote.
        label: of the vertical axis.
        path: where the picture is saved; None saves none.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    for (name, curve), (marker, line) in zip(curves.items(), STYLES, strict=False):
        points = [mean_and_error(list(values)) for values in curve.values()]
        means, errors = zip(*points, strict=True)
        bars = [1.96 * error for error in errors]
        axes.errorbar(list(curve), means, bars, marker=marker, linestyle=line, capsize=3, label=name)
    axes.set(xlabel="delay (ticks)", ylabel=label, xticks=list(next(iter(curves.values()))))
    axes.legend()
    return save_figure(figure, path)


def save_figure(figure: Figure, path: Path | None) -> Figure:
    """The same figure, saved if there is a path."""
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure
