"""A dataset in a few numbers: by expert, and by channel of the actions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.data.dataset import Dataset


class ExpertSummary(NamedTuple):
    """What an expert contributed: its name, episodes, how many of them were solved, and their mean length in ticks."""

    name: str
    episodes: int
    solved: int
    ticks: float


class ChannelSummary(NamedTuple):
    """How one channel of the actions is used.

    Attributes:
        low: the smallest value.
        high: the largest.
        mean: the mean.
        std: the standard deviation.
        at_bounds: the share of values within .01 of -1 or 1.
        first_std: the standard deviation over the episodes' first actions. In a Kinetix level all answer the
            same observation, so this is how much the experts differ, without any model.
        two_peaks: Sarle's bimodality coefficient of the first actions, (skewness**2 + 1) / kurtosis, in (0, 1]: 5/9
            for a uniform distribution, 1/3 for a Gaussian, 1 for two values; NaN if all are equal.
    """

    low: float
    high: float
    mean: float
    std: float
    at_bounds: float
    first_std: float
    two_peaks: float


def summarize_experts(dataset: Dataset, attempts: np.ndarray | None = None) -> list[ExpertSummary]:
    """A line for each expert, in the order of `info["experts"]`.

    Args:
        dataset: what `load` returned.
        attempts: bool[E], the episodes that count, such as those of `chunkenv.data.find_attempts`; all, if None.
    """
    table = dataset.episodes
    counted = np.ones(len(table.length), bool) if attempts is None else attempts
    lines = []
    for index, expert in enumerate(dataset.info["experts"]):
        own = counted & (table.expert == index)
        ticks = float(table.length[own].mean()) if own.any() else 0.0
        lines.append(ExpertSummary(expert["name"], int(own.sum()), int(table.success[own].sum()), ticks))
    return lines


def summarize_channels(dataset: Dataset) -> list[ChannelSummary]:
    """A line for each channel of the actions."""
    first = np.asarray(dataset.actions[dataset.episodes.start], np.float64)
    return [_summarize_channel(np.asarray(dataset.actions[:, i]), first[:, i]) for i in range(dataset.actions.shape[1])]


def _summarize_channel(values: np.ndarray, first: np.ndarray) -> ChannelSummary:
    wide = values.astype(np.float64)
    at_bounds = float((np.abs(values) >= 0.99).mean())
    std = float(first.std())
    return ChannelSummary(
        float(values.min()), float(values.max()), wide.mean(), wide.std(), at_bounds, std, _two_peaks(first)
    )


def _two_peaks(values: np.ndarray) -> float:
    """Sarle's bimodality coefficient.

    >>> _two_peaks(np.array([-1.0, -1.0, 1.0, 1.0])), round(_two_peaks(np.linspace(0, 1, 1001)), 3)
    (1.0, 0.556)
    """
    centred = values - values.mean()
    variance = float((centred**2).mean())
    if variance < 1e-12:
        return float("nan")
    skewness, kurtosis = (centred**3).mean() / variance**1.5, (centred**4).mean() / variance**2
    return float((skewness**2 + 1) / kurtosis)
