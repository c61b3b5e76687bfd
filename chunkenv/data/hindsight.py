"""Goals in hindsight: what was reached later, or elsewhere, is what an agent was after (Andrychowicz et al. 2017).

Every agent that is told a goal draws its goals here. A goal is a state of the dataset, in one of three forms: its
whole observation, some numbers of it, or what a function makes of it, such as ogbench's oracle representation.

The shares and the two laws of offsets are those of OGBench (Park et al. 2024, arXiv 2410.20092), and sub-goals some
ticks ahead with their rewards are those of SHARSA (Park et al. 2025, arXiv 2506.04168). Other here: sub-goals are
reached only where their state is the goal. An episode that ends sooner reaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.states import States
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number, whole_number

GoalForm: TypeAlias = Callable[[np.ndarray], np.ndarray] | Sequence[int] | None
"""What a goal is: a function of observations [B, O] that returns [B, G]; the indices of G of their numbers; or None,
the observation itself."""


@dataclass(frozen=True)
class GoalShares:
    """Where goals come from.

    Attributes:
        current: share of goals that are the state itself.
        future: share of goals that are a later state of the same episode.
        random: share of goals that are any state of the dataset; the three add up to 1.
        discount: of the offsets in ticks of later states: k with probability (1 - discount) discount^(k - 1), where all
            that lies beyond the episode's end falls on its last state. None: every later state is equally likely.

    Raises:
        ArgumentError: for shares that are no probabilities, or a discount that is not between 0 and 1.
    """

    current: float = 0.0
    future: float = 1.0
    random: float = 0.0
    discount: float | None = None

    def __post_init__(self) -> None:
        shares = [real_number(name, getattr(self, name), 0.0, 1.0) for name in ("current", "future", "random")]
        if abs(sum(shares) - 1) > 1e-9:
            raise ArgumentError(f"current, future and random are {shares}, which add up to {sum(shares):g}; give 1.")
        if self.discount is not None and not 0 < real_number("discount", self.discount, 0.0, 1.0) < 1:
            raise ArgumentError(f"discount={self.discount!r} gives no law of offsets; give one between 0 and 1.")


class GoalDraw(NamedTuple):
    """Goals of B ticks.

    Attributes:
        places: int64[B], of the goals among `States`.
        goals: [B, G].
    """

    places: np.ndarray
    goals: np.ndarray


class SubgoalDraw(NamedTuple):
    """B ticks, the goals that they are for, and what was reached n ticks later, or sooner.

    Attributes:
        observations: [B, O], before the ticks.
        goals: [B, G].
        ticks: int64[B], how many later: n, or less where the goal or the episode's end comes sooner.
        next_observations: [B, O], those ticks later.
        subgoals: [B, G], the same as goals.
        reached: float32[B], 1 where that is the goal's own state.
        rewards: float32[B], discount^ticks where the goal is reached, else 0.
        discounts: float32[B], of the value there: discount^ticks, or 0 where the goal is reached.
    """

    observations: np.ndarray
    goals: np.ndarray
    ticks: np.ndarray
    next_observations: np.ndarray
    subgoals: np.ndarray
    reached: np.ndarray
    rewards: np.ndarray
    discounts: np.ndarray


class HindsightGoals:
    """Draws goals for ticks of a dataset; the goal of a tick depends on its own draws only.

    Args:
        dataset: what `load` returned.
        shares: where goals come from.
        form: what a goal is.

    Attributes:
        states: of the dataset.
        goal_size: G.

    Raises:
        ArgumentError: the form does not fit the observations.
    """

    def __init__(self, dataset: Dataset, shares: GoalShares | None = None, form: GoalForm = None) -> None:
        self.states, self.shares = States(dataset), shares or GoalShares()
        size = dataset.observations.shape[1]
        self._form = form if form is None or callable(form) else _checked_indices(form, size)
        self.goal_size = self.goals_at(np.zeros(1, np.int64)).shape[1]

    def goals_at(self, places: np.ndarray) -> np.ndarray:
        """The states at these places as goals, [B, G]."""
        return self.as_goals(self.states.observations(places))

    def as_goals(self, observations: np.ndarray) -> np.ndarray:
        """Observations [B, O] as goals, [B, G]."""
        if self._form is None:
            return observations
        return self._form(observations) if callable(self._form) else observations[:, self._form]

    def sample(self, rng: np.random.Generator, ticks: np.ndarray) -> GoalDraw:
        """A goal for each tick.

        Args:
            rng: draws it; three numbers a tick, whatever the tick.
            ticks: int[B].
        """
        kind, later, elsewhere = rng.random((3, len(ticks)))
        here, last = self.states.of_ticks(ticks), self.states.last_of(ticks)
        future = here + self._offsets(later, last - here)
        anywhere = (elsewhere * len(self.states)).astype(np.int64)
        places = np.where(kind < self.shares.current, here, future)
        places = np.where(kind < self.shares.current + self.shares.future, places, anywhere)
        return GoalDraw(places, self.goals_at(places))

    def sample_subgoals(
        self, rng: np.random.Generator, ticks: np.ndarray, ahead: int, discount: float = 0.999
    ) -> SubgoalDraw:
        """A goal for each tick, and the sub-goal so many ticks ahead.

        Args:
            rng: draws goals as in `sample`.
            ticks: int[B].
            ahead: n, at least 1.
            discount: per tick.

        Raises:
            ArgumentError: an invalid number.
        """
        most = whole_number("ahead", ahead, at_least=1)
        discount = real_number("discount", discount, at_least=0.0, at_most=1.0)
        places, goals = self.sample(rng, ticks)
        here = self.states.of_ticks(ticks)
        until_end, until_goal = np.minimum(most, self.states.last_of(ticks) - here), places - here
        played = np.where((until_goal >= 0) & (until_goal < until_end), until_goal, until_end)
        reached = places == here + played
        powers = np.float64(discount) ** played
        there = self.states.observations(here + played)
        return SubgoalDraw(
            self.states.observations(here),
            goals,
            played,
            there,
            self.as_goals(there),
            reached.astype(np.float32),
            np.where(reached, powers, 0).astype(np.float32),
            np.where(reached, 0, powers).astype(np.float32),
        )

    def _offsets(self, uniform: np.ndarray, most: np.ndarray) -> np.ndarray:
        """How many ticks later, from 1 to `most`, by numbers uniform in [0, 1)."""
        if self.shares.discount is None:
            return 1 + (uniform * most).astype(np.int64)
        drawn = 1 + np.floor(np.log1p(-uniform) / np.log(self.shares.discount))
        return np.minimum(drawn, most).astype(np.int64)


def _checked_indices(form: Sequence[int], size: int) -> np.ndarray:
    """Indices of numbers of an observation."""
    indices = np.asarray(form)
    if indices.ndim != 1 or indices.dtype.kind not in "iu" or not indices.size:
        raise ArgumentError(f"form={form!r} is no list of indices; give at least one number from 0 to {size - 1}.")
    if indices.min() < 0 or indices.max() >= size:
        raise ArgumentError(f"form={form!r} points outside an observation of {size} numbers, 0 to {size - 1}.")
    return indices
