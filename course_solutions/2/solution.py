"""Assignment 2, what a chunk is worth: the reference."""

from __future__ import annotations

import numpy as np


def decision_reward(rewards: list[float], gamma: float) -> float:
    """The reward of one decision, seen from its first tick; 0.0 without ticks."""
    return float(sum(gamma**tick * reward for tick, reward in enumerate(rewards)))


def next_discount(ticks: int, gamma: float, terminated: bool, truncated: bool) -> float:
    """What the value of the next state is multiplied by: a truncation changes nothing."""
    return 0.0 if terminated else gamma**ticks


def return_in_chunks(rewards: list[float], lengths: list[int], gamma: float, rule: str) -> float:
    """The return of an episode that was played in decisions of the given lengths, by a rule."""
    total, start = 0.0, 0
    for length in lengths:
        total += gamma**start * worth(rewards[start : start + length], gamma, rule)
        start += length
    return total


def worth(rewards: list[float], gamma: float, rule: str) -> float:
    """What a decision is worth by a rule."""
    if rule == "right":
        return decision_reward(rewards, gamma)
    return float(sum(rewards)) * (gamma ** len(rewards) if rule == "late" else 1.0)


def counterexample(rule: str, gamma: float) -> dict[str, list[float]]:
    """One reward at once against a little more, or less, at another time."""
    if rule == "sum":
        return {"better": [0.9], "worse": [0.0] * 7 + [1.0]}
    return {"better": [1.0] + [0.0] * 7, "worse": [0.9]}


def td_targets(
    rewards: np.ndarray,
    ticks: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    next_values: np.ndarray,
    gamma: float,
) -> np.ndarray:
    """What a critic should answer for each decision of a batch, [N]."""
    return rewards + np.where(terminated, 0.0, gamma**ticks * next_values)


def learn_values(decisions: dict[str, np.ndarray], states: int, gamma: float, sweeps: int) -> np.ndarray:
    """The value of every state, [states], learned from decisions."""
    begin, follow = decisions["states"], decisions["next_states"]
    parts = [decisions[name] for name in ("rewards", "ticks", "terminated", "truncated")]
    count = np.bincount(begin, minlength=states)
    values = np.zeros(states)
    for _ in range(sweeps):
        targets = td_targets(*parts, values[follow], gamma)
        values = np.bincount(begin, targets, minlength=states) / np.maximum(count, 1)
    return values
