"""Some episodes of a dataset as a dataset: a part to label, a part to hold out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chunkenv.data.dataset import Dataset, Episodes
from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.checks import whole_number


def choose_episodes(dataset: Dataset, numbers: Sequence[int] | np.ndarray) -> Dataset:
    """The dataset of these episodes alone, in this order.

    Args:
        dataset: what `load` returned.
        numbers: of the episodes, at least one.

    Raises:
        ArgumentError: they are no episodes of the dataset.
    """
    chosen, count = np.asarray(numbers), len(dataset.episodes.length)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size or not np.isin(chosen, range(count)).all():
        raise ArgumentError(f"numbers={brief(numbers)} are no episodes; give at least one from 0 to {count - 1}.")
    table = dataset.episodes
    lengths = table.length[chosen]
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    ticks = np.repeat(table.start[chosen] - starts, lengths) + np.arange(lengths.sum())
    return Dataset(
        dataset.observations[ticks],
        dataset.actions[ticks],
        dataset.rewards[ticks],
        dataset.terminated[ticks],
        dataset.truncated[ticks],
        np.repeat(np.arange(len(chosen), dtype=np.int32), lengths),
        Episodes(starts, *(column[chosen] for column in table[1:])),
        dataset.info,
    )


def first_episodes(dataset: Dataset, transitions: int) -> Dataset:
    """The dataset of as many of the first episodes as have this many ticks together, or more.

    Raises:
        ArgumentError: the dataset has fewer.
    """
    wanted, total = whole_number("transitions", transitions, at_least=1), len(dataset)
    if wanted > total:
        raise ArgumentError(f"transitions={wanted}, but the data have {total} ticks; give at most that many.")
    ends = np.cumsum(dataset.episodes.length)
    return choose_episodes(dataset, np.arange(int(np.searchsorted(ends, wanted)) + 1))
