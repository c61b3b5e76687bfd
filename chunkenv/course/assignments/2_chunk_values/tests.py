"""Tests of assignment 2: tables worked out by hand, and decisions that `ChunkedExecution` has played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chunkenv.clock import bootstrap_discount, discounted_sum
from chunkenv.course.grading import Student, Test, WrongAnswer, expect_array, expect_number
from chunkenv.course.small_worlds import PayingChain
from chunkenv.latency import Uniform
from chunkenv.wrappers import ChunkedExecution

SEED = 21
GAMMA = 0.8
STATES = 12
MARGIN = 0.01
BY_HAND = (([1.0, 2.0, 4.0], 0.5, 3.0), ([3.0], 0.5, 3.0), ([0.0, 0.0, 8.0], 0.5, 2.0), ([1.0, 1.0], 1.0, 2.0))
"""Rewards, gamma, and the reward of the decision."""
ENDS = ((3, False, False, 0.125), (3, True, False, 0.0), (3, False, True, 0.125), (1, False, False, 0.5))
"""Ticks, terminated, truncated, and what the next value counts at gamma = 0.5."""
CUTS = (
    ([4.0, 0.0, 8.0, 8.0], [2, 2], 0.5, {"right": 7.0, "sum": 8.0, "late": 2.0}),
    ([4.0, 0.0, 8.0, 8.0], [1, 3], 0.5, {"right": 7.0, "sum": 12.0, "late": 3.0}),
    ([4.0, 0.0, 8.0, 8.0], [1, 1, 1, 1], 0.5, {"right": 7.0, "sum": 7.0, "late": 3.5}),
)
"""Rewards, lengths, gamma, and the return by each rule."""


def rewards_by_hand(student: Student) -> None:
    """Decisions of one to three ticks."""
    for rewards, gamma, right in BY_HAND:
        expect_number(f"decision_reward({rewards}, {gamma})", student.call("decision_reward", rewards, gamma), right)


def rewards_of_the_package(student: Student) -> None:
    """Decisions of no tick to nine, with losses."""
    rng = np.random.default_rng(SEED)
    for ticks in range(10):
        rewards, gamma = rng.normal(size=ticks).round(2).tolist(), round(float(rng.uniform(0.5, 1.0)), 2)
        answer = student.call("decision_reward", rewards, gamma)
        expect_number(f"decision_reward({rewards}, {gamma})", answer, discounted_sum(rewards, gamma))


def discounts_by_hand(student: Student) -> None:
    """A decision in the middle of an episode, one that ends the task, and one that the limit cuts."""
    _expect_discounts(student, 0.5, ENDS)


def discounts_of_the_package(student: Student) -> None:
    """All ends, both at once too, after one to eight ticks."""
    ends = [(ticks, task, limit) for ticks in range(1, 9) for task in (False, True) for limit in (False, True)]
    _expect_discounts(student, 0.9, [(*each, bootstrap_discount(0.9, *each[:2])) for each in ends])


def _expect_discounts(student: Student, gamma: float, cases: Sequence[tuple[int, bool, bool, float]]) -> None:
    for ticks, terminated, truncated, right in cases:
        answer = student.call("next_discount", ticks, gamma, terminated, truncated)
        expect_number(f"next_discount({ticks}, {gamma}, {terminated=}, {truncated=})", answer, right)


def cuts_by_hand(student: Student) -> None:
    """Four ticks, cut in three ways, by three rules."""
    for rewards, lengths, gamma, returns in CUTS:
        for rule, right in returns.items():
            answer = student.call("return_in_chunks", rewards, lengths, gamma, rule)
            expect_number(f"return_in_chunks({rewards}, {lengths}, {gamma}, {rule!r})", answer, right)


def cuts_do_not_change_the_return(student: Student) -> None:
    """By the right rule an episode is worth the same however it is cut; the others are compared with the package."""
    rng = np.random.default_rng(SEED)
    for _ in range(10):
        lengths = rng.integers(1, 5, size=4).tolist()
        rewards = rng.normal(size=sum(lengths)).round(2).tolist()
        for rule in ("right", "sum", "late"):
            answer = student.call("return_in_chunks", rewards, lengths, GAMMA, rule)
            what = f"return_in_chunks({rewards}, {lengths}, {GAMMA}, {rule!r})"
            expect_number(what, answer, _return(rewards, lengths, rule))


def _return(rewards: list[float], lengths: list[int], rule: str) -> float:
    """What the clock says of the right rule, and what the wrong ones make of its decisions."""
    if rule == "right":
        return discounted_sum(rewards, GAMMA)
    starts = np.cumsum([0, *lengths[:-1]])
    parts = [rewards[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    return sum(GAMMA ** float(start) * _worth(part, GAMMA, rule) for start, part in zip(starts, parts, strict=True))


def _worth(rewards: list[float], gamma: float, rule: str) -> float:
    """What one decision is worth by a rule."""
    if rule == "right":
        return discounted_sum(rewards, gamma)
    return discounted_sum(rewards, 1.0) * (gamma ** len(rewards) if rule == "late" else 1.0)


def sums_mislead(student: Student) -> None:
    """Rewards that sum(r) ranks wrongly."""
    for gamma in (0.5, 0.8, 0.95):
        _expect_counterexample(student, "sum", gamma)


def late_sums_mislead(student: Student) -> None:
    """Rewards that gamma**n * sum(r) ranks wrongly."""
    for gamma in (0.5, 0.8, 0.95):
        _expect_counterexample(student, "late", gamma)


def _expect_counterexample(student: Student, rule: str, gamma: float) -> None:
    what = f"counterexample({rule!r}, {gamma})"
    answer = student.call("counterexample", rule, gamma)
    if not isinstance(answer, dict):
        raise WrongAnswer(f'{what} is a dict with "better" and "worse"; your answer is a {type(answer).__name__}.')
    better, worse = (_read_rewards(f'{what}["{name}"]', answer.get(name)) for name in ("better", "worse"))
    for judge, gain in (("right", 1.0), (rule, -1.0)):
        ahead = gain * (_worth(better, gamma, judge) - _worth(worse, gamma, judge))
        if ahead < MARGIN:
            sign = "more" if gain > 0 else "less"
            values = f"{_worth(better, gamma, judge):.3f} and {_worth(worse, gamma, judge):.3f}"
            raise WrongAnswer(
                f'{what}: by the rule "{judge}" the better one is worth {sign} by {MARGIN}; yours are worth {values}.'
            )


def _read_rewards(what: str, answer: Any) -> list[float]:
    rewards = answer.tolist() if isinstance(answer, np.ndarray) else answer
    is_list = isinstance(rewards, list) and 1 <= len(rewards) <= 8
    if not is_list or not all(isinstance(each, int | float) and 0 <= each <= 1 for each in rewards):
        raise WrongAnswer(f"{what} is a list of 1 to 8 rewards from 0 to 1; yours is {str(rewards)[:80]}.")
    return [float(each) for each in rewards]


def targets_by_hand(student: Student) -> None:
    """Three decisions of 1, 2 and 3 ticks: the first goes on, the second ends the task, the third is cut."""
    answer = student.call(
        "td_targets",
        np.array([1.0, 2.0, 3.0]),
        np.array([1, 2, 3]),
        np.array([False, True, False]),
        np.array([False, False, True]),
        np.array([8.0, 8.0, 8.0]),
        0.5,
    )
    expect_array("td_targets of the table in the text", answer, [5.0, 2.0, 4.0])


def targets_of_late_chunks(student: Student) -> None:
    """Decisions of 2 and 3 ticks, as random delays make them, and shorter ones at the ends of episodes."""
    played = [*play_chain(terminates=True, seed=SEED), *play_chain(terminates=False, seed=SEED + 1)]
    columns = as_columns(played)
    values = np.random.default_rng(SEED).normal(size=len(played))
    discounts = np.array([each["discount"] for each in played])
    parts = [columns[name] for name in ("rewards", "ticks", "terminated", "truncated")]
    answer = student.call("td_targets", *parts, values, GAMMA)
    expect_array("td_targets of decisions with random delays", answer, columns["rewards"] + discounts * values)


def values_of_a_task(student: Student) -> None:
    """A chain that ends after its last state: the value of a state is what is still to come."""
    answer = student.call("learn_values", as_columns(_many(True)), STATES + 1, GAMMA, STATES)
    expect_array("learn_values of a chain that ends", answer, _values(True), tolerance=1e-5)


def values_beyond_a_limit(student: Student) -> None:
    """The same chain, cut by a limit before a state whose value is known: there the task goes on."""
    decisions = as_columns(_many(False))
    stays = {
        "states": STATES,
        "next_states": STATES,
        "rewards": 1.0,
        "ticks": 2,
        "terminated": False,
        "truncated": False,
    }
    decisions = {name: np.append(column, stays[name]).astype(column.dtype) for name, column in decisions.items()}
    answer = student.call("learn_values", decisions, STATES + 1, GAMMA, 100)
    expect_array("learn_values of a chain that a limit cuts", answer, _values(False), tolerance=1e-5)


def play_chain(terminates: bool, seed: int) -> list[dict[str, Any]]:
    """The decisions of an episode on a chain, with inferences that take 1, 2 or 3 ticks."""
    delays = Uniform(0.0, 0.3)
    chain = PayingChain(pays(), terminates)
    env = ChunkedExecution(chain, 6, 2, latency=delays, control_dt=0.1, discount=GAMMA)
    (seen, _), decisions, ended = env.reset(seed=seed), [], False
    while not ended:
        following, reward, terminated, truncated, info = env.step(np.zeros((6, 1), np.float32))
        ended = terminated or truncated
        states = {"states": int(seen[0]), "next_states": int(following[0])}
        ends = {"terminated": terminated, "truncated": truncated}
        decisions.append({**states, "rewards": reward, "ticks": info["ticks"], **ends, "discount": info["discount"]})
        seen = following
    return decisions


def pays() -> list[float]:
    """Of the chain's ticks: every third one is a loss."""
    return [-1.0 if tick % 3 == 2 else 1.0 + tick / 4 for tick in range(STATES)]


def as_columns(decisions: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Decisions as arrays, as `learn_values` takes them."""
    names = ("states", "next_states", "rewards", "ticks", "terminated", "truncated")
    return {name: np.array([each[name] for each in decisions]) for name in names}


def _many(terminates: bool) -> list[dict[str, Any]]:
    """Enough episodes that decisions of every length begin in most states."""
    return [decision for episode in range(30) for decision in play_chain(terminates, SEED + episode)]


def _values(terminates: bool) -> np.ndarray:
    """What is still to come from each state in which a decision began; beyond the limit 1, 0, 1, 0 ... for ever."""
    beyond = 0.0 if terminates else 1.0 / (1.0 - GAMMA**2)
    begun = {each["states"] for each in _many(terminates)}
    values = [discounted_sum([*pays()[state:], beyond], GAMMA) for state in range(STATES)]
    return np.array([value if state in begun else 0.0 for state, value in enumerate(values)] + [beyond])


TESTS = (
    Test("rewards of decisions, by hand", "2.1", 5, "visible", rewards_by_hand),
    Test("rewards of decisions, compared with the clock", "2.2", 10, "hidden", rewards_of_the_package),
    Test("discounts, by hand", "2.3", 5, "visible", discounts_by_hand),
    Test("discounts after every kind of end", "2.4", 10, "hidden", discounts_of_the_package),
    Test("three cuts of four ticks, by hand", "2.5", 10, "visible", cuts_by_hand),
    Test("a cut does not change the return", "2.6", 10, "hidden", cuts_do_not_change_the_return),
    Test("where sums mislead", "2.7", 5, "visible", sums_mislead),
    Test("where sums that come late mislead", "2.8", 5, "hidden", late_sums_mislead),
    Test("targets, by hand", "2.9", 10, "visible", targets_by_hand),
    Test("targets of decisions with random delays", "2.10", 10, "hidden", targets_of_late_chunks),
    Test("values of a chain that ends", "2.11", 10, "visible", values_of_a_task),
    Test("values of a chain that a limit cuts", "2.12", 10, "hidden", values_beyond_a_limit),
)
