"""Episodes as they are played, and blocks of them as they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from chunkenv.data.dataset_files import DataError

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


def as_block(episodes: Sequence[Episode], numbers: Sequence[int] | None = None) -> Block:
    """Episodes as columns, one after another.

    Args:
        episodes: at least one, all with observations of one size and type, and actions likewise.
        numbers: what an error calls them; 0, 1, ... if None.

    Raises:
        DataError: an episode's columns do not fit one another, or those of the others: the rows of the next episode
            would be taken for its own.
    """
    _expect_sound(episodes, range(len(episodes)) if numbers is None else numbers)
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


def _expect_sound(episodes: Sequence[Episode], numbers: Sequence[int]) -> None:
    """Refuse episodes that make no dataset."""
    if not episodes:
        raise DataError("There are no episodes; a dataset needs at least one.")
    for number, episode in zip(numbers, episodes, strict=True):
        for fault in (*_find_misfits(episode), *_find_bad_numbers(episode)):
            raise DataError(f"Episode {number} {fault}; fix it, or leave it out.")
        if (found := _kinds(episode)) != (expected := _kinds(episodes[0])):
            raise DataError(
                f"Episode {number} has {found}, but episode {numbers[0]} has {expected}; all must be alike."
            )


def _find_misfits(episode: Episode) -> Iterator[str]:
    """What is wrong with an episode's lengths."""
    shapes = [np.shape(column) for column in (episode.observations, episode.actions, episode.rewards)]
    if [len(shape) for shape in shapes] != [2, 2, 1]:
        yield "has observations, actions and rewards of shapes {}, {} and {}, not [T + 1, O], [T, A] and [T]".format(
            *map(list, shapes)
        )
        return
    observations, actions, ticks = (shape[0] for shape in shapes)
    if ticks < 1 or (observations, actions) != (ticks + 1, ticks):
        yield (
            f"has {observations} observations, {actions} actions and {ticks} rewards, not T + 1, T and T: an "
            "observation before each of at least one tick, and one after the last"
        )


def _find_bad_numbers(episode: Episode) -> Iterator[str]:
    """Columns of another type, or with NaN or infinity."""
    for name, kinds in (("observations", "f"), ("actions", "f"), ("rewards", "fiub")):
        column = np.asarray(getattr(episode, name))
        if column.dtype.kind not in kinds:
            yield f"has {name} of type {column.dtype}, not floats"
        elif not np.isfinite(column).all():
            yield f"has NaN or infinity in its {name}, first in row {np.argwhere(~np.isfinite(column))[0, 0]}"


def _kinds(episode: Episode) -> str:
    """Sizes and types of an episode's rows."""
    columns = {name: np.asarray(getattr(episode, name)) for name in ("observations", "actions", "rewards")}
    return ", ".join(
        f"{name} {column.dtype}[{', '.join(map(str, column.shape[1:]))}]" for name, column in columns.items()
    )
