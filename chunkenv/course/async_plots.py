"""The plots of assignment 4: weights of the plan's rows, two ways around an obstacle, and solve rates by delay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chunkenv.course.delay_curves import STYLES, save_figure
from chunkenv.course.late_flows import Sample, WeightsOf
from chunkenv.course.two_ways import TwoWays
from chunkenv.request import Policy, Request

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HORIZON = 8
EXECUTED = 2
"""Ticks between two requests in the picture of two ways, and the delay in it."""
PUBLISHED = {
    "naive, published": {0: 0.868, 1: 0.883, 2: 0.848, 4: 0.649},
    "RTC, published": {0: 0.858, 1: 0.842, 2: 0.855, 3: 0.824, 4: 0.789},
}
"""Solved of mjc_half_cheetah, with the authors' own policies: measured by boss-server-ops/deflectrobust (1,024 episodes
each) and, for naive at delays 1 and 2, by papadoster/jit-reflex (256)."""


def draw_weights(weights_of: WeightsOf, path: Path | None = None) -> Figure:
    """How much each row of a new chunk is held to the plan, for delays of 1 to 4 ticks and as long a horizon.

    Args:
        weights_of: what the student wrote; takes the delay, the execution horizon, the rows left, and H.
        path: where the picture is saved; None saves none.
    """
    figure, axes = _axes()
    for delay, (marker, line) in zip(range(1, 5), STYLES, strict=True):
        weights = np.asarray(weights_of(delay, delay, HORIZON - delay, HORIZON), float)
        axes.plot(range(HORIZON), weights, marker=marker, linestyle=line, label=f"d = s = {delay}")
    axes.set(xlabel="row of the new chunk", ylabel="weight of the plan")
    axes.legend()
    return save_figure(figure, path)


def draw_two_ways(
    sample: Sample,
    guided: Sample,
    weights_of: WeightsOf,
    make_ensemble: Callable[[], Policy],
    path: Path | None = None,
) -> Figure:
    """A new chunk beside what is left of the last one, which passes an obstacle on the other side.

    Args:
        sample: makes naive chunks.
        guided: makes chunks that are guided to the plan.
        weights_of: as `draw_weights` has it.
        make_ensemble: makes the student's ensembling policy.
        path: where the picture is saved; None saves none.
    """
    last, chunks = two_ways_chunks(sample, guided, weights_of, make_ensemble)
    figure, axes = _axes()
    axes.plot(range(-EXECUTED, HORIZON - EXECUTED), last, color="0.6", linewidth=5, label="last chunk")
    for (name, chunk), (marker, line) in zip(chunks.items(), STYLES, strict=False):
        axes.plot(range(HORIZON), chunk, marker=marker, linestyle=line, color="black", label=name)
    axes.fill_between([3.5, HORIZON - 0.5], -0.3, 0.3, facecolor="none", edgecolor="0.4", hatch="//", label="obstacle")
    axes.axvspan(0, EXECUTED - 0.5, color="0.9", zorder=0)
    axes.set(xlabel="tick (grey: rows that run in any case)", ylabel="sideways", ylim=(-1.1, 1.1))
    figure.legend(loc="outside upper center", ncols=5, fontsize="x-small")
    return save_figure(figure, path)


def two_ways_chunks(
    sample: Sample, guided: Sample, weights_of: WeightsOf, make_ensemble: Callable[[], Policy]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The last chunk [H], and the new chunks [H] by the name of the method."""
    way = np.full((HORIZON, 1), 0.8)
    flow, noise = TwoWays(way), np.sin(3.0 * np.arange(HORIZON)).reshape(1, HORIZON, 1) - 0.3  # it leads to -way
    left = HORIZON - EXECUTED
    plan = np.concatenate([way[EXECUTED:], np.zeros((EXECUTED, 1))])
    weights = np.asarray(weights_of(EXECUTED, EXECUTED, left, HORIZON), float).reshape(1, HORIZON, 1)
    naive, rtc = (
        np.asarray(make(flow.velocity, flow.vjp, noise, plan[None], weights))[0, :, 0] for make in (sample, guided)
    )
    ensemble: Any = make_ensemble()
    ensemble.reset()
    for tick, chunk in ((0, way), (EXECUTED, naive[:, None])):
        averaged = np.asarray(ensemble.infer(chunk, _request(tick, plan)))[:, 0]
    return way[:, 0], {"naive": naive, "ensembling": averaged, "RTC": rtc}


def _request(tick: int, plan: np.ndarray) -> Request:
    left = HORIZON - EXECUTED if tick else 0
    return Request(tick, plan[: min(left, EXECUTED)], min(left, EXECUTED), EXECUTED, EXECUTED, plan[:left])


def draw_solve_rates(
    curves: Mapping[str, Mapping[int, tuple[int, int]]],
    interval: Callable[[int, int], Any],
    path: Path | None = None,
    published: Mapping[str, Mapping[int, float]] = PUBLISHED,
) -> Figure:
    """Solve rates by delay with their intervals, black, over the published ones, grey.

    Args:
        curves: by name, for each delay how many episodes were solved, and of how many.
        interval: `interval(solved, episodes)` is [rate, low, high]: what the student wrote.
        path: where the picture is saved; None saves none.
        published: by name, for each delay a solve rate.
    """
    figure, axes = _axes()
    for (name, rates), (marker, line) in zip(published.items(), STYLES, strict=False):
        axes.plot(list(rates), list(rates.values()), marker=marker, linestyle=line, color="0.7", label=name)
    for number, ((name, curve), (marker, line)) in enumerate(zip(curves.items(), STYLES, strict=False)):
        aside = 0.05 * (number - (len(curves) - 1) / 2)  # so that intervals do not cover each other
        _draw_intervals(axes, curve, interval, aside, marker=marker, linestyle=line, label=name)
    axes.set(xlabel="delay (ticks)", ylabel="solve rate", ylim=(-0.03, 1.03), xticks=list(next(iter(curves.values()))))
    axes.legend(fontsize="small")
    return save_figure(figure, path)


def _draw_intervals(
    axes: Axes, curve: Mapping[int, tuple[int, int]], interval: Callable[[int, int], Any], aside: float, **style: Any
) -> None:
    rates, lows, highs = np.array([np.asarray(interval(*counts), float) for counts in curve.values()]).T
    bars = np.maximum([rates - lows, highs - rates], 0.0)
    axes.errorbar(np.array(list(curve)) + aside, rates, bars, color="black", capsize=3, **style)


def _axes() -> tuple[Figure, Axes]:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(5, 3.2), layout="constrained")
