"""Assignment 2: the reference has all points, the template none, and each typical mistake what its tests take."""

import pytest

from tests.course.in_process import lost_points, reference, score, template, with_mistake

MISTAKES = {
    "sum(r)": ("gamma**tick * reward for tick", "reward for tick", 65),
    "gamma^n sum(r)": ("gamma**tick * reward for tick", "gamma**len(rewards) * reward for tick", 65),
    "discount off by one in the reward": ("gamma**tick * reward", "gamma**(tick + 1) * reward", 65),
    "a decision without ticks": (
        "    return float(sum(gamma**tick",
        "    rewards[0]\n    return float(sum(gamma**tick",
        90,
    ),
    "gamma of one tick after n": ("0.0 if terminated else gamma**ticks\n", "0.0 if terminated else gamma\n", 85),
    "no future after a limit": (
        "0.0 if terminated else gamma**ticks\n",
        "0.0 if terminated or truncated else gamma**ticks\n",
        85,
    ),
    "a future after the end if a limit came too": (
        "0.0 if terminated else gamma**ticks\n",
        "0.0 if terminated and not truncated else gamma**ticks\n",
        90,
    ),
    "discount of decisions, not of ticks": (
        "for length in lengths:\n        total += gamma**start",
        "for decision, length in enumerate(lengths):\n        total += gamma**decision",
        80,
    ),
    "decisions that begin a tick apart": ("        start += length", "        start += 1", 80),
    "late by n - 1": ("gamma ** len(rewards) if", "gamma ** (len(rewards) - 1) if", 80),
    "counterexample to the other rule": ('if rule == "sum"', 'if rule == "late"', 90),
    "better and worse swapped": (
        '{"better": [0.9], "worse": [0.0] * 7 + [1.0]}',
        '{"worse": [0.9], "better": [0.0] * 7 + [1.0]}',
        95,
    ),
    "targets with the gamma of one tick": ("gamma**ticks * next_values)", "gamma * next_values)", 60),
    "targets with the rows of a chunk for ticks": ("gamma**ticks * next_values)", "gamma**6 * next_values)", 60),
    "targets that know no end": (
        "np.where(terminated, 0.0, gamma**ticks * next_values)",
        "gamma**ticks * next_values",
        80,
    ),
    "targets that end at a limit": ("np.where(terminated, 0.0", "np.where(terminated | truncated, 0.0", 70),
    "reward discounted with the next value": (
        "rewards + np.where(terminated, 0.0, gamma**ticks * next_values)",
        "gamma**ticks * (rewards + np.where(terminated, 0.0, next_values))",
        60,
    ),
    "the sum of targets, not their mean": (" / np.maximum(count, 1)", "", 80),
    "one sweep": ("for _ in range(sweeps)", "for _ in range(1)", 80),
}


def test_the_reference_has_all_points_and_the_template_none():
    assert lost_points("2", reference("2")) == {}
    assert score("2", template("2")) == 0.0


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_its_score(mistake):
    right, wrong, points = MISTAKES[mistake]
    assert score("2", with_mistake("2", right, wrong)) == points
