"""Frames of a dataset with the sentences that hold in each: what an encoder learns from before any task."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chunkenv.agents.annotations.annotation_learning import AnnotatedFrames
from chunkenv.data import Dataset, SavedFrames, split_episodes
from chunkenv.manipulation.words import read_predicates

VALIDATION = 0.1
"""The share of episodes that is held out."""


class FrameSource:
    """Frames that are drawn with replacement, every one equally likely; all are kept in memory.

    Args:
        frames: uint8[N, S, S, 3].
        holds: bool[N, P], which sentences hold in each; P may be 0.
    """

    def __init__(self, frames: np.ndarray, holds: np.ndarray) -> None:
        self.frames, self.holds = frames, np.asarray(holds, np.float32)

    def sample(self, rng: np.random.Generator, batch: int) -> AnnotatedFrames:
        """So many frames."""
        chosen = rng.integers(len(self.frames), size=batch)
        return AnnotatedFrames(self.frames[chosen], self.holds[chosen])


def read_annotated_frames(folder: Path, dataset: Dataset, family: str) -> tuple[FrameSource, FrameSource]:
    """The frames at the ticks of a dataset, with all predicates of its family: to learn from, and held-out episodes.

    Args:
        folder: where the dataset lies, and its frames.
        dataset: of the family.
        family: one of `chunkenv.manipulation.FAMILIES`.

    Raises:
        DataError: there are no frames.
    """
    saved, holds = SavedFrames(folder), np.asarray(read_predicates(family, dataset.observations))
    sources = []
    for episodes in split_episodes(dataset, VALIDATION):
        ticks = np.flatnonzero(np.isin(dataset.episode, episodes))
        frames = saved.read(ticks + dataset.episode[ticks])  # every episode before has one frame more than ticks
        sources.append(FrameSource(frames, holds[ticks]))
    return sources[0], sources[1]
