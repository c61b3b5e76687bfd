"""Episodes as they are played, and blocks of them as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

Block = dict[str, np.ndarray]
"""Consecutive episodes as columns: those of a dataset that do not follow from the lengths."""


class Episode(NamedTuple):
    """One episode of T ticks.

    Attributes:
        observations: float32[T + 1, O], the last one after the last tick.
        actions: float32[T, A], without noise.
        rewards: float32[T].
        terminated: whether the task ended with the last tick.
        success: whether it was solved.
        expert: the index of the expert that played it.
        seed: of its own randomness.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool
    success: bool
    expert: int
    seed: int


class Player(Protocol):
    """Plays episodes: an episode depends on nothing but the player and the episode's number."""

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order."""
        ...


def as_block(episodes: Sequence[Episode]) -> Block:
    """Episodes as columns, one after another."""
    lengths = np.array([len(episode.rewards) for episode in episodes], np.int32)
    last = np.cumsum(lengths) - 1
    terminated, truncated = np.zeros((2, lengths.sum()), bool)
    terminated[last] = [episode.terminated for episode in episodes]
    truncated[last] = ~terminated[last]
    return {
        "observations": np.concatenate([episode.observations[:-1] for episode in episodes]),
        "actions": np.concatenate([episode.actions for episode in episodes]),
        "rewards": np.concatenate([episode.rewards for episode in episodes]),
        "terminated": terminated,
        "truncated": truncated,
        "length": lengths,
        "success": np.array([episode.success for episode in episodes], bool),
        "expert": np.array([episode.expert for episode in episodes], np.int32),
        "seed": np.array([episode.seed for episode in episodes], np.int64),
        "final_observation": np.stack([episode.observations[-1] for episode in episodes]),
    }
