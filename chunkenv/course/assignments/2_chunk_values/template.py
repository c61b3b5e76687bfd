"""Assignment 2: what a chunk is worth. Fill in every TODO; keep the names and arguments of the functions.

Read `text.md` first. `chunkenv course check 2 FOLDER` runs the public tests on `FOLDER/solution.py`.
"""

# %%
from __future__ import annotations

import numpy as np


# %%
def decision_reward(rewards: list[float], gamma: float) -> float:
    """The reward of one decision that played `len(rewards)` ticks, seen from its first tick; 0.0 without ticks."""
    # TODO 1: tick i counts gamma**i.
    raise NotImplementedError("TODO 1: decision_reward")


# %%
def next_discount(ticks: int, gamma: float, terminated: bool, truncated: bool) -> float:
    """What the value of the next state is multiplied by, after a decision that played `ticks` ticks.

    Args:
        ticks: how many were played, which may be fewer than were planned.
        gamma: the discount of one tick.
        terminated: whether the task has ended.
        truncated: whether a limit of time has cut the episode. Both can be true at once.
    """
    # TODO 2: when is there a future, and how far away is it?
    raise NotImplementedError("TODO 2: next_discount")


# %%
def return_in_chunks(rewards: list[float], lengths: list[int], gamma: float, rule: str) -> float:
    """The return of an episode that was played in decisions of the given lengths, by a rule.

    Decision k plays `lengths[k]` ticks and begins where the one before ended. What it is worth is discounted by gamma
    for each tick that was played before it.

    Args:
        rewards: of all ticks; as many as `lengths` has ticks together.
        lengths: ticks of every decision.
        gamma: the discount of one tick.
        rule: what a decision of n ticks with rewards r_0 ... r_(n-1) is worth:
            "right"  sum of gamma**i * r_i
            "sum"    sum of r_i
            "late"   gamma**n * sum of r_i
    """
    # TODO 3
    raise NotImplementedError("TODO 3: return_in_chunks")


# %%
def counterexample(rule: str, gamma: float) -> dict[str, list[float]]:
    """Two ways to play one decision, after which the task has ended, that a wrong rule ranks wrongly.

    Args:
        rule: "sum" or "late", as above.
        gamma: the discount of one tick, from 0.5 to 0.95.

    Returns:
        {"better": rewards, "worse": rewards}: lists of 1 to 8 rewards from 0 to 1. By the right rule "better" is worth
        more than "worse", by the wrong rule less; by at least 0.01 both times.
    """
    # TODO 4: first find two lists on paper.
    raise NotImplementedError("TODO 4: counterexample")


# %%
def td_targets(
    rewards: np.ndarray,
    ticks: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    next_values: np.ndarray,
    gamma: float,
) -> np.ndarray:
    """What a critic should answer for each decision of a batch, [N].

    Args:
        rewards: float [N], of whole decisions: already sums of gamma**i * r_i.
        ticks: int [N], how many each decision played; they differ.
        terminated: bool [N].
        truncated: bool [N].
        next_values: float [N], what the critic says of the states after the decisions. After the end of a task it may
            say anything.
        gamma: the discount of one tick.
    """
    # TODO 5: no loop is needed.
    raise NotImplementedError("TODO 5: td_targets")


# %%
def learn_values(decisions: dict[str, np.ndarray], states: int, gamma: float, sweeps: int) -> np.ndarray:
    """The value of every state, [states], learned from decisions; they begin at 0.

    One sweep computes the targets of all decisions from the present values, then gives every state the mean target of
    the decisions that begin in it. A state in which no decision begins keeps its 0.

    Args:
        decisions: arrays [N]: "states" and "next_states" (int, from 0), "rewards", "ticks", "terminated", "truncated",
            as `td_targets` takes them.
        states: how many there are.
        gamma: the discount of one tick.
        sweeps: how many.
    """
    # TODO 6
    raise NotImplementedError("TODO 6: learn_values")


# %% [markdown]
# One episode, cut into decisions of 1 to 12 ticks: which rule is level?

# %%
if __name__ == "__main__":
    from pathlib import Path

    from chunkenv.course import draw_cuts

    episode = [1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]
    draw_cuts(return_in_chunks, episode, 0.8, Path("cuts.png"))
