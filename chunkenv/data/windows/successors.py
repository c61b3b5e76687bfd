"""Two chunks in a row, and a state in between: what a model of future states learns from.

The future of a state and a chunk of h rows is the state k ticks later, k = 0, 1, ..., with probability
(1 - gamma) gamma^k. It is one of the h states that the chunk passes, with probability 1 - gamma^h, or else the future
of the state h ticks later and of the chunk there:

    future(o_t, a_t ..) = (1 - gamma^h) passed + gamma^h future(o_{t+h}, a_{t+h} ..)

The state that a task ended in lasts for ever, without reward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, NamedTuple

import numpy as np

from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ArrayT, ReplayBuffer


class Successors(NamedTuple, Generic[ArrayT]):
    """B windows of two chunks, the second h ticks after the first; H = h + d rows each, see `Horizons`.

    Attributes:
        observations: float32[B, O], at tick t.
        chunks: float32[B, H, A], executed from tick t on; zeros beyond what was played.
        known: float32[B, H], 1 for rows that were played.
        rewards: float32[B], of tick t.
        passed: float32[B, O], k ticks after t, k = 0 .. h - 1 drawn in proportion to gamma^k.
        next_observations: float32[B, O], h ticks after t, or where the task ended.
        next_chunks: float32[B, H, A], executed from there on.
        next_known: float32[B, H], 1 for rows that were played.
        ended: float32[B], 1 where the task ended within the h ticks.
        counted: float32[B], 0 where a limit, or the newest tick, cut the two chunks short.
    """

    observations: ArrayT
    chunks: ArrayT
    known: ArrayT
    rewards: ArrayT
    passed: ArrayT
    next_observations: ArrayT
    next_chunks: ArrayT
    next_known: ArrayT
    ended: ArrayT
    counted: ArrayT


@dataclass(frozen=True)
class SuccessorReplay:
    """A replay from which windows of two chunks are drawn.

    Attributes:
        replay: of whole episodes.
    """

    replay: ReplayBuffer

    def __len__(self) -> int:
        """Ticks that a window can begin with."""
        return len(self.replay)

    def sample(self, rng: np.random.Generator, batch: int, horizons: Horizons) -> Successors[np.ndarray]:
        """Draw windows of two chunks with replacement; every tick is equally likely to begin one.

        Args:
            rng: draws two numbers for each.
            batch: how many, B.
            horizons: h, d and gamma, which is between 0 and 1; the backup is not used.

        Raises:
            ArgumentError: the replay is empty.
        """
        starts, uniform = self.replay.draw_starts(rng, batch), rng.random(batch)
        h, rows = horizons.chunk, horizons.prediction_horizon
        two = self.replay.windows(starts, replace(horizons, backup=2 * h))
        played = two.known.sum(axis=1).astype(np.int64)
        passed = np.minimum(passing_ticks(uniform, horizons), played)
        return Successors(
            observations=two.observations,
            chunks=two.actions[:, :rows],
            known=two.known[:, :rows],
            rewards=self.replay.rewards[starts],
            passed=self.replay.observations_after(starts, passed),
            next_observations=self.replay.observations_after(starts, np.minimum(h, played)),
            next_chunks=two.actions[:, h:],
            next_known=two.known[:, h:],
            ended=((two.discounts == 0) & (played <= h)).astype(np.float32),
            counted=two.counted,
        )


def passing_ticks(uniform: np.ndarray, horizons: Horizons) -> np.ndarray:
    """Ticks k = 0 .. h - 1 in proportion to gamma^k, by numbers uniform in [0, 1).

    >>> passing_ticks(np.array([0.0, 0.6, 0.7, 0.99]), Horizons(chunk=2, backup=2, discount=0.5))
    array([0, 0, 1, 1])
    """
    within = 1 - horizons.discount**horizons.chunk
    ticks = np.log1p(-uniform * within) / np.log(horizons.discount)
    return np.minimum(ticks.astype(np.int64), horizons.chunk - 1)
