"""Single ticks out of episodes: what a model of the world is trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.data.dataset import Dataset


class TransitionBatch(NamedTuple):
    """B ticks.

    Attributes:
        observations: [B, O], before each.
        actions: [B, A], as intended.
        after: [B, O], the observations after each; after an episode's last tick its final observation.
    """

    observations: np.ndarray
    actions: np.ndarray
    after: np.ndarray


class Transitions:
    """The ticks of a dataset with what came after them.

    Args:
        dataset: what `load` returned.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        table = dataset.episodes
        self._last = np.repeat(table.start + table.length - 1, table.length)

    def __len__(self) -> int:
        return len(self._last)

    def sample(self, rng: np.random.Generator, batch: int) -> TransitionBatch:
        """Ticks drawn with replacement, every one equally likely.

        Args:
            rng: draws them.
            batch: how many, B.
        """
        data, ticks = self._dataset, rng.integers(len(self), size=batch)
        last = self._last.take(ticks)
        after = data.observations.take(np.minimum(ticks + 1, last), axis=0)
        final = data.episodes.final_observation.take(data.episode.take(ticks), axis=0)
        after = np.where((ticks == last)[:, None], final, after)
        return TransitionBatch(data.observations.take(ticks, axis=0), data.actions.take(ticks, axis=0), after)
