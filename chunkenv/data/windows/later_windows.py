"""Windows with the observations of their first ticks, not of the first alone: for learning what a delay hides."""

from __future__ import annotations

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.windows.chunk_windows import ChunkBatch, Windows, window_rows
from chunkenv.utils.checks import whole_number


class LaterWindows:
    """Windows, drawn as `Windows` draws them, whose observations are those of the first 1 + `later` ticks.

    Args:
        dataset: what `load` returned.
        prediction_horizon: rows in a chunk, H.
        later: ticks behind the first, at least 1; where the episode ends sooner its last observation stands again.

    Raises:
        ArgumentError: an invalid number.
    """

    def __init__(self, dataset: Dataset, prediction_horizon: int, later: int) -> None:
        self._windows, self._observations = Windows(dataset, prediction_horizon), dataset.observations
        self._count = 1 + whole_number("later", later, at_least=1)
        table = dataset.episodes
        self._last = np.repeat(table.start + table.length - 1, table.length)

    def __len__(self) -> int:
        return len(self._windows)

    def sample(self, rng: np.random.Generator, batch: int) -> ChunkBatch:
        """Windows drawn with replacement, every one equally likely; observations are [B, 1 + later, O].

        Args:
            rng: draws them.
            batch: how many, B.
        """
        ticks = rng.integers(len(self), size=batch)
        rows, _ = window_rows(ticks, self._last.take(ticks), self._count)
        drawn = self._windows[ticks]
        return ChunkBatch(self._observations.take(rows, axis=0), drawn.chunks, drawn.mask)
