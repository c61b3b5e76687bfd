"""The states of a dataset: one before each tick, and one after the last tick of each episode."""

from __future__ import annotations

import numpy as np

from chunkenv.data.dataset import Dataset


class States:
    """All T + E states of a dataset of T ticks and E episodes, by their place: those of an episode are consecutive.

    Args:
        dataset: what `load` returned.

    >>> from chunkenv.data.dataset import Episodes
    >>> table = Episodes(np.array([0, 2]), np.array([2, 1]), *[np.zeros(2)] * 3, np.array([[2.0], [11.0]]))
    >>> rows = np.array([[0.0], [1.0], [10.0]])
    >>> states = States(Dataset(rows, rows, rows, rows, rows, np.array([0, 0, 1]), table, {}))
    >>> states.of_ticks(np.array([1, 2])), states.last_of(np.array([1, 2]))
    (array([1, 3]), array([2, 4]))
    >>> states.observations(np.array([0, 1, 2, 3, 4])).ravel()
    array([ 0.,  1.,  2., 10., 11.])
    """

    def __init__(self, dataset: Dataset) -> None:
        table = dataset.episodes
        lengths = table.length.astype(np.int64)
        self._rows, self._final = dataset.observations, table.final_observation
        self._episode = np.repeat(np.arange(len(lengths)), lengths)
        self._ends = np.cumsum(lengths + 1) - 1

    def __len__(self) -> int:
        return len(self._rows) + len(self._ends)

    def of_ticks(self, ticks: np.ndarray) -> np.ndarray:
        """The places of the states before ticks, int64[B]."""
        return ticks + self._episode.take(ticks)

    def last_of(self, ticks: np.ndarray) -> np.ndarray:
        """The places of the last states of the ticks' episodes, int64[B]."""
        return self._ends.take(self._episode.take(ticks))

    def observations(self, places: np.ndarray) -> np.ndarray:
        """The observations at places, [B, O]."""
        episodes = np.searchsorted(self._ends, places)
        final = places == self._ends.take(episodes)
        rows = self._rows.take(np.where(final, 0, places - episodes), axis=0)
        return np.where(final[:, None], self._final.take(episodes, axis=0), rows)
