"""Chunks out of episodes: what an agent that predicts chunks is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chunkenv.data.dataset import Dataset
from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.checks import real_number, whole_number


class ChunkBatch(NamedTuple):
    """B windows.

    Attributes:
        observations: [B, O], before the first action of each.
        chunks: [B, H, A], the actions of this tick and the following ones. Where the episode ends sooner its last
            action stands again: such rows must not count, see `mask`.
        mask: float32[B, H], 1 for rows of the episode, 0 beyond its end.
    """

    observations: np.ndarray
    chunks: np.ndarray
    mask: np.ndarray


class ExecutedBatch(NamedTuple):
    """B windows, with the executed actions.

    Attributes:
        observations: as in `ChunkBatch`, like `chunks` and `mask`.
        chunks: the intended actions.
        mask: which rows count.
        executed: [B, H, A], the rows of `chunks` as they were executed, with the noise.
    """

    observations: np.ndarray
    chunks: np.ndarray
    mask: np.ndarray
    executed: np.ndarray


class Windows:
    """The windows of a dataset: one begins with every tick of every episode, its last one too.

    Args:
        dataset: what `load` returned.
        prediction_horizon: rows in a chunk, H.
        episodes: indices of the episodes to take them from, see `split_episodes`; all, if None.
        executed: float32[T, A], the actions as they were executed (`executed_actions`): then batches have them too.

    Raises:
        ArgumentError: the horizon or the episodes are invalid, or `executed` has another shape than the actions.
    """

    def __init__(
        self,
        dataset: Dataset,
        prediction_horizon: int,
        episodes: ArrayLike | None = None,
        executed: np.ndarray | None = None,
    ) -> None:
        if executed is not None and executed.shape != dataset.actions.shape:
            raise ArgumentError(f"executed has shape {executed.shape}, but the actions have {dataset.actions.shape}.")
        self._executed = executed
        self.prediction_horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        self._observations, self._actions = dataset.observations, dataset.actions
        table = dataset.episodes
        self._last = np.repeat(table.start + table.length - 1, table.length)
        self._ticks = None if episodes is None else _ticks_of(dataset, episodes)

    def __len__(self) -> int:
        return len(self._last) if self._ticks is None else len(self._ticks)

    def __getitem__(self, indices: ArrayLike) -> ChunkBatch | ExecutedBatch:
        """The windows with these numbers, int[B], each from 0 to len - 1.

        Raises:
            ArgumentError: they are no such numbers.
        """
        numbers = np.asarray(indices)
        whole = numbers.ndim == 1 and numbers.dtype.kind in "iu"
        if not whole or (numbers.size and (numbers.min() < 0 or numbers.max() >= len(self))):
            raise ArgumentError(f"{brief(indices)} are no windows; give a list of numbers from 0 to {len(self) - 1}.")
        return self._batch(numbers)

    def sample(self, rng: np.random.Generator, batch: int) -> ChunkBatch | ExecutedBatch:
        """Windows drawn with replacement, every one equally likely.

        Args:
            rng: draws them.
            batch: how many, B.
        """
        return self._batch(rng.integers(len(self), size=batch))

    def epoch(self, rng: np.random.Generator, batch: int) -> Iterator[ChunkBatch | ExecutedBatch]:
        """Every window once, in an order that `rng` draws, in batches of one size.

        The last windows that do not fill a batch are left out, because a compiled training step takes one size only;
        they differ from epoch to epoch.

        Raises:
            ArgumentError: a batch is larger than all windows together.
        """
        if whole_number("batch", batch, at_least=1) > len(self):
            raise ArgumentError(f"batch={batch} is more than the {len(self)} windows that there are; choose fewer.")
        order = rng.permutation(len(self))
        for start in range(0, len(self) - batch + 1, batch):
            yield self._batch(order[start : start + batch])

    def _batch(self, numbers: np.ndarray) -> ChunkBatch | ExecutedBatch:
        """The windows with these numbers; `take` gathers rows twice as fast as an index does."""
        ticks = numbers if self._ticks is None else self._ticks.take(numbers)
        rows, exist = window_rows(ticks, self._last.take(ticks), self.prediction_horizon)
        mask = exist.astype(np.float32)
        batch = ChunkBatch(self._observations.take(ticks, axis=0), self._actions.take(rows, axis=0), mask)
        return batch if self._executed is None else ExecutedBatch(*batch, self._executed.take(rows, axis=0))


def window_rows(first: np.ndarray, last: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of windows, int[B, count], and which of them lie within the episode, bool[B, count].

    Args:
        first: int[B], the row that each window begins with.
        last: int[B], the last row of its episode; it stands again where the episode ends sooner.
        count: rows of a window.

    >>> window_rows(np.array([4]), np.array([5]), 3)
    (array([[4, 5, 5]]), array([[ True,  True, False]]))
    """
    rows, end = first[:, None] + np.arange(count), last[:, None]
    return np.minimum(rows, end), rows <= end


def split_episodes(dataset: Dataset, validation: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Episodes to train on and episodes to validate with: windows of one episode never fall on both sides.

    Args:
        dataset: what `load` returned.
        validation: the share of episodes to validate with, above 0 and below 1; at least one goes to each side.
        seed: which ones.

    Returns:
        Two sorted arrays of episode numbers, int64.

    Raises:
        ArgumentError: the share is invalid, or there is only one episode.
    """
    share = real_number("validation", validation, at_least=0.0, at_most=1.0)
    count = len(dataset.episodes.length)
    if not 0.0 < share < 1.0:
        raise ArgumentError(f"validation={validation!r} leaves one side empty; choose a share between 0 and 1.")
    if count < 2:
        raise ArgumentError(f"{count} episode cannot be split; collect at least 2.")
    held_out = min(max(round(share * count), 1), count - 1)
    order = np.random.default_rng(whole_number("seed", seed, at_least=0)).permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _ticks_of(dataset: Dataset, episodes: ArrayLike) -> np.ndarray:
    """The ticks of some episodes."""
    chosen = np.asarray(episodes)
    count = len(dataset.episodes.length)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size:
        raise ArgumentError(f"episodes={episodes!r} are no episodes; give a list of numbers from 0 to {count - 1}.")
    if chosen.min() < 0 or chosen.max() >= count:
        raise ArgumentError(f"episodes has {chosen.min()} to {chosen.max()}, but there are 0 to {count - 1}.")
    wanted = np.zeros(count, bool)
    wanted[chosen] = True
    return np.flatnonzero(np.repeat(wanted, dataset.episodes.length))
