"""Windows that tell what every number of their ticks leads to: what a critic of chunks of every length learns from.

With them goes the return that followed in the data, which calibrates a critic (Cal-QL: Nakamoto et al. 2023, arXiv
2303.05479).
"""

from __future__ import annotations

from typing import Generic, NamedTuple

import numpy as np

from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import AFTER, GOES_ON, TERMINATED, TRUNCATED, ArrayT, ReplayBuffer
from chunkenv.errors import ArgumentError


class LengthBatch(NamedTuple, Generic[ArrayT]):
    """B windows of R rows; column j of the arrays [B, n] is about their first j + 1 ticks.

    Attributes:
        observations: float32[B, O], at tick t.
        actions: float32[B, R, A], executed from tick t on; zeros beyond what was played.
        known: float32[B, R], 1 for rows that were played.
        rewards: float32[B, n], the discounted sum over the ticks.
        discounts: float32[B, n], what the value after the ticks is multiplied by: 0 once the task has ended.
        later: float32[B, n, O], the observations after the ticks, or the episode's last.
        counted: float32[B, n], 0 where a limit came before the ticks, and the prefix after them, were over.
        returns: float32[B], the discounted return that followed in the data.
    """

    observations: ArrayT
    actions: ArrayT
    known: ArrayT
    rewards: ArrayT
    discounts: ArrayT
    later: ArrayT
    counted: ArrayT
    returns: ArrayT


class EveryLength:
    """The whole episodes of a replay, from which windows of this kind are drawn.

    Args:
        replay: what `ReplayBuffer.from_episodes` made.
        horizons: of the windows; its discount is less than 1.

    Attributes:
        returns: float32[rows], the return from each row of the replay on.

    Raises:
        ArgumentError: no episode is as long as a window.
    """

    def __init__(self, replay: ReplayBuffer, horizons: Horizons) -> None:
        self._replay = replay
        self.returns = returns_to_go(replay, horizons.discount)
        longest = int(np.diff(np.flatnonzero(replay.marks == AFTER), prepend=-1).max()) - 1
        if longest < horizons.prediction_horizon:
            raise ArgumentError(
                f"chunk={horizons.chunk} and delay={horizons.delay} need {horizons.prediction_horizon} ticks, but the "
                f"longest episode of the data has {longest}; use shorter chunks."
            )

    def __len__(self) -> int:
        return len(self._replay)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most return that followed any tick."""
        found = self.returns[self._replay.marks != AFTER]
        return float(found.min()), float(found.max())

    def sample(self, rng: np.random.Generator, batch: int, horizons: Horizons) -> LengthBatch[np.ndarray]:
        """Draw windows with replacement; every tick is equally likely to begin one."""
        return self.windows(self._replay.draw_starts(rng, batch), horizons)

    def windows(self, starts: np.ndarray, horizons: Horizons) -> LengthBatch[np.ndarray]:
        """The windows that begin with these rows, int[B], each of which has a tick."""
        replay, window = self._replay, self._replay.windows(starts, horizons)
        played = window.known.sum(axis=1).astype(np.int64)
        ended = replay.marks[starts + played - 1] == TERMINATED
        lengths = np.arange(1, horizons.backup + 1)
        ticks = np.minimum(played[:, None], lengths)
        over = ended[:, None] & (played[:, None] <= lengths)
        return LengthBatch(
            observations=window.observations,
            actions=window.actions,
            known=window.known,
            rewards=self._rewards(starts, window.known[:, : horizons.backup], horizons.discount),
            discounts=horizons.discounts(ticks, over),
            later=replay.observations_after(starts[:, None], ticks),
            counted=(ended[:, None] | (played[:, None] >= lengths + horizons.delay)).astype(np.float32),
            returns=self.returns[starts],
        )

    def _rewards(self, starts: np.ndarray, known: np.ndarray, discount: float) -> np.ndarray:
        ahead = np.arange(known.shape[1])
        rows = np.minimum(starts[:, None] + ahead, self._replay.capacity - 1)
        return np.cumsum(self._replay.rewards[rows] * known * discount**ahead, axis=1).astype(np.float32)


def returns_to_go(replay: ReplayBuffer, discount: float) -> np.ndarray:
    """The discounted return from each row on, float32[rows]; 0 in rows that hold no tick.

    An episode that a limit cut is taken to go on for ever as its last tick was: otherwise what fails at a cost would
    look the better, the nearer the limit is.

    >>> replay = ReplayBuffer.from_episodes(
    ...     np.zeros((2, 1)), np.zeros((2, 1)), np.array([-1.0, 0.0]), np.array([False, True]), np.array([1, 1]),
    ...     np.zeros((2, 1)),
    ... )
    >>> returns_to_go(replay, 0.5)
    array([-2.,  0.,  0.,  0.], dtype=float32)
    """
    returns = np.zeros(len(replay.marks) + 1)
    for row in range(len(replay.marks) - 1, -1, -1):
        mark, reward = replay.marks[row], float(replay.rewards[row])
        ahead = {GOES_ON: returns[row + 1], TERMINATED: 0.0, TRUNCATED: reward / (1 - discount), AFTER: 0.0}
        returns[row] = reward + discount * ahead[int(mark)]
    return returns[:-1].astype(np.float32)
