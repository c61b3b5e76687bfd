"""Windows with goals in hindsight, and sub-goals on the way to them: what is imitated for a goal."""

from __future__ import annotations

from typing import Generic, NamedTuple

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.hindsight import GoalForm, GoalShares, HindsightGoals
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ArrayT
from chunkenv.data.windows.chunk_windows import Windows
from chunkenv.errors import ArgumentError


class GoalBatch(NamedTuple, Generic[ArrayT]):
    """B windows with goals [B, G].

    Attributes:
        observations: float32[B, O].
        chunks: float32[B, H, A], executed from there on.
        known: float32[B, H], 1 for rows that were played.
        goals: states reached later, or as the shares have it.
        subgoals: what held n ticks later, or sooner where the goal or the episode's end came sooner.
        nearby: what held n ticks later, or at the episode's end.
    """

    observations: ArrayT
    chunks: ArrayT
    known: ArrayT
    goals: ArrayT
    subgoals: ArrayT
    nearby: ArrayT


class GoalWindows:
    """Windows of a dataset, each with a goal: any later state of its episode, unless the shares say otherwise.

    Args:
        dataset: what `load` returned, with actions from -1 to 1.
        horizons: H, and in `backup` the ticks to a sub-goal, n.
        form: what a goal is, as `HindsightGoals` has it.
        shares: where goals come from.

    Raises:
        ArgumentError: every episode is shorter than a chunk, or goals do not fit.
    """

    def __init__(
        self, dataset: Dataset, horizons: Horizons, form: GoalForm = None, shares: GoalShares | None = None
    ) -> None:
        longest, rows = int(np.max(dataset.episodes.length)), horizons.prediction_horizon
        if rows > longest:
            raise ArgumentError(
                f"A chunk has {rows} rows, but the longest episode has {longest} ticks; give shorter chunks, or data "
                "with longer episodes."
            )
        self._windows, self._ahead = Windows(dataset, rows), horizons.backup
        self._goals = HindsightGoals(dataset, shares, form)
        self.goal_size = self._goals.goal_size

    def __len__(self) -> int:
        return len(self._windows)

    def sample(self, rng: np.random.Generator, batch: int) -> GoalBatch[np.ndarray]:
        """Windows drawn with replacement, every one equally likely.

        Args:
            rng: draws them.
            batch: how many, B.
        """
        ticks, states = rng.integers(len(self), size=batch), self._goals.states
        drawn = self._goals.sample_subgoals(rng, ticks, self._ahead)
        nearby = np.minimum(states.of_ticks(ticks) + self._ahead, states.last_of(ticks))
        windows = self._windows[ticks]
        return GoalBatch(
            windows.observations,
            windows.chunks,
            windows.mask,
            drawn.goals,
            drawn.subgoals,
            self._goals.goals_at(nearby),
        )
