"""Windows with goals in hindsight, and the sub-goals on the way: what SHARSA learns from (arXiv 2506.04168)."""

from __future__ import annotations

from typing import Generic, NamedTuple

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.hindsight import GoalForm, GoalShares, HindsightGoals
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ArrayT
from chunkenv.data.windows.chunk_windows import Windows
from chunkenv.errors import ArgumentError

LEAST = 1e-4
"""How far from 0 and 1 the discount of offsets is at least: neither has a law of offsets."""


class SubgoalBatch(NamedTuple, Generic[ArrayT]):
    """B windows with goals [B, G]; values and policies have goals of their own.

    Attributes:
        observations: float32[B, O].
        chunks: float32[B, H, A], executed from there on.
        known: float32[B, H], 1 for rows that were played.
        value_goals: what values are learned for.
        value_subgoals: what held n ticks later, or sooner where the value's goal or the episode's end came sooner.
        next_observations: float32[B, O], then.
        rewards: float32[B], discount^ticks where the goal was reached then, else 0.
        discounts: float32[B], of the value of `next_observations`; 0 where the goal was reached.
        policy_goals: what sub-goals are imitated for.
        policy_subgoals: what held n ticks later, or when the policy's goal was reached.
        nearby: what held n ticks later, or at the episode's end: what chunks are imitated for.
    """

    observations: ArrayT
    chunks: ArrayT
    known: ArrayT
    value_goals: ArrayT
    value_subgoals: ArrayT
    next_observations: ArrayT
    rewards: ArrayT
    discounts: ArrayT
    policy_goals: ArrayT
    policy_subgoals: ArrayT
    nearby: ArrayT


class SubgoalWindows:
    """Windows of some episodes, drawn with goals in hindsight.

    Values learn for goals that are the state itself (a fifth), any later state of the episode, equally likely (half),
    or any state of the data; policies for later states, mostly near ones, and for any state, half each: the shares of
    SHARSA.

    Args:
        dataset: what `load` returned, with actions from -1 to 1.
        horizons: `backup` are the ticks to a sub-goal, n.
        form: what a goal is, as `HindsightGoals` has it.

    Raises:
        ArgumentError: every episode is shorter than a chunk or than the way to a sub-goal, or goals do not fit.
    """

    def __init__(self, dataset: Dataset, horizons: Horizons, form: GoalForm) -> None:
        longest, needed = int(np.max(dataset.episodes.length)), max(horizons.backup, horizons.prediction_horizon)
        if needed > longest:
            raise ArgumentError(
                f"The longest episode has {longest} ticks, but a chunk and the way to its sub-goal take {needed}; give "
                "shorter ones, or data with longer episodes."
            )
        self._horizons, self._windows = horizons, Windows(dataset, horizons.prediction_horizon)
        discount = min(max(horizons.discount, LEAST), 1 - LEAST)
        self._for_values = HindsightGoals(dataset, GoalShares(0.2, 0.5, 0.3), form)
        self._for_policies = HindsightGoals(dataset, GoalShares(0.0, 0.5, 0.5, discount), form)
        self.goal_size = self._for_values.goal_size

    def __len__(self) -> int:
        return len(self._windows)

    def sample(self, rng: np.random.Generator, batch: int) -> SubgoalBatch[np.ndarray]:
        """Windows drawn with replacement, every one equally likely.

        Args:
            rng: draws them.
            batch: how many, B.
        """
        ticks, ahead = rng.integers(len(self), size=batch), self._horizons.backup
        values = self._for_values.sample_subgoals(rng, ticks, ahead, self._horizons.discount)
        policies = self._for_policies.sample_subgoals(rng, ticks, ahead, self._horizons.discount)
        windows, states = self._windows[ticks], self._for_policies.states
        nearby = np.minimum(states.of_ticks(ticks) + ahead, states.last_of(ticks))
        return SubgoalBatch(
            windows.observations,
            windows.chunks,
            windows.mask,
            values.goals,
            values.subgoals,
            values.next_observations,
            values.rewards,
            values.discounts,
            policies.goals,
            policies.subgoals,
            self._for_policies.goals_at(nearby),
        )
