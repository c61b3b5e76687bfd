"""Whether values know how far a goal is: their rank correlation with the ticks to it, on episodes not learned from.

A hierarchy chooses by its values; before it is asked how much it solves, they should pass this (.7 or more).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import spearmanr

from chunkenv.data.dataset import Dataset
from chunkenv.data.hindsight import GoalForm, HindsightGoals

PAIRS = 400
"""Of a state and a later goal of the same episode."""

Agree = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Which of the achieved goals [T, G] are the desired ones [T, G], bool[T]."""


def rank_correlation(
    values: Callable[[np.ndarray], np.ndarray], held_out: Dataset, form: GoalForm, agree: Agree, seed: int = 0
) -> float:
    """Spearman's correlation of values with minus the ticks until a goal first holds; from -1 to 1, NaN if all tie.

    Args:
        values: of observations with goals behind them, float32[B, O + G] -> [B].
        held_out: episodes that the values have not learned from.
        form: what a goal is, as `HindsightGoals` has it.
        agree: when a goal holds.
        seed: of the pairs.
    """
    rng, goals = np.random.default_rng(seed), HindsightGoals(held_out, form=form)
    ticks = rng.integers(len(held_out), size=PAIRS)
    drawn, here = goals.sample(rng, ticks), goals.states.of_ticks(ticks)
    pairs = zip(here, drawn.places, drawn.goals, strict=True)
    until = np.array([_first(agree, goals.goals_at(np.arange(start, stop + 1)), goal) for start, stop, goal in pairs])
    found = values(np.concatenate([goals.states.observations(here), drawn.goals], axis=1))
    if np.ptp(found) == 0 or np.ptp(until) == 0:
        return float("nan")
    return float(np.asarray(spearmanr(found, -until))[0])


def _first(agree: Agree, achieved: np.ndarray, goal: np.ndarray) -> int:
    """After how many ticks a goal, which the last state is, first holds."""
    return int(np.argmax(np.append(agree(achieved, np.broadcast_to(goal, achieved.shape))[:-1], True)))
