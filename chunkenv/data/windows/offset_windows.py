"""Windows in which a part of the observation is ahead of the rest, and the chunk begins there: for VLASH."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chunkenv.data.dataset import Dataset
from chunkenv.data.windows.chunk_windows import ChunkBatch, Windows
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number


class OffsetWindows:
    """Windows whose observation has the robot some ticks later than the rest; the chunk begins with the later tick.

    VLASH (Tang et al. 2025, arXiv 2512.01031): each offset from 0 to the largest is as likely. Where the episode ends
    sooner, the later tick is its last one.

    Args:
        dataset: what `load` returned.
        prediction_horizon: rows in a chunk, H.
        future_offsets: the largest offset in ticks, at least 1.
        robot: bool[O], which numbers of the observation are of the later tick.

    Raises:
        ArgumentError: an invalid number, or `robot` has another size than the observations.
    """

    def __init__(self, dataset: Dataset, prediction_horizon: int, future_offsets: int, robot: ArrayLike) -> None:
        self._windows = Windows(dataset, prediction_horizon)
        self._observations, self._most = (
            dataset.observations,
            whole_number("future_offsets", future_offsets, at_least=1),
        )
        self._robot = np.asarray(robot)
        if self._robot.dtype != np.bool_ or self._robot.shape != self._observations.shape[1:]:
            raise ArgumentError(
                f"robot is {self._robot.dtype}{list(self._robot.shape)}, but observations have "
                f"{self._observations.shape[1]} numbers; give a bool for each."
            )
        table = dataset.episodes
        self._last = np.repeat(table.start + table.length - 1, table.length)

    def __len__(self) -> int:
        return len(self._windows)

    def sample(self, rng: np.random.Generator, batch: int) -> ChunkBatch:
        """Windows drawn with replacement, every tick and every offset equally likely.

        Args:
            rng: draws them.
            batch: how many, B.
        """
        ticks = rng.integers(len(self), size=batch)
        later = np.minimum(ticks + rng.integers(self._most + 1, size=batch), self._last.take(ticks))
        drawn = self._windows[later]
        seen = np.where(self._robot, drawn.observations, self._observations.take(ticks, axis=0))
        return ChunkBatch(seen, drawn.chunks, drawn.mask)
