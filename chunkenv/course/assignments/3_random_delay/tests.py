"""Tests of assignment 3: tables worked out by hand, the package's own clock, and controllers played on hidden seeds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from chunkenv.clock import plan_cycle
from chunkenv.course.grading import Student, Test, WrongAnswer, expect_array, expect_same, read_array
from chunkenv.course.small_worlds import InOrder, PayingChain, returns_on_slope
from chunkenv.errors import brief
from chunkenv.latency import Uniform
from chunkenv.wrappers import ActionDelay, ChunkedExecution

SEED = 90_000
"""Of the hidden episodes; far from those that students measure on."""
EPISODES = 200
WITH_AT_LEAST, WITHOUT_AT_LEAST = -5.9, -8.5
"""Mean returns: no linear controller without a buffer reaches the first."""
QUANTILE = 1.972
ACTING = (
    ([0, 0, 0], [0, 1, 2]),
    ([2, 2, 2, 2], [-1, -1, 0, 1]),
    ([1, 3, 1, 1], [-1, 0, 0, 2]),
    ([4, 1, 1, 3, 1], [-1, -1, 1, 2, 2]),
)
"""Delays, and which action acts."""
DECISIONS = (
    ((8, 4, 4, 2, 2), {"prefix": [4, 5], "underruns": 0, "own": [2, 3]}),
    ((8, 4, 6, 6, 6), {"prefix": [6, 7], "underruns": 4, "own": []}),
    ((8, 4, 4, 2, 3), {"prefix": [4, 5, 6], "underruns": 0, "own": [3]}),
    ((8, 4, 4, 3, 0), {"prefix": [], "underruns": 0, "own": [0, 1, 2, 3]}),
)
"""Horizon, execution horizon, waited, estimate, delay; and what runs."""


def acting_by_hand(student: Student) -> None:
    """No delay, a constant one, and actions that are overtaken."""
    for delays, right in ACTING:
        expect_same(f"acting_actions({delays})", student.call("acting_actions", delays), right)


def acting_in_the_package(student: Student) -> None:
    """Delays of 0 to 4 ticks at random, played by `chunkenv.ActionDelay`."""
    rng = np.random.default_rng(SEED)
    for _ in range(10):
        delays = rng.integers(0, 5, size=12).tolist()
        expect_same(f"acting_actions({delays})", student.call("acting_actions", delays), played_actions(delays))


def played_actions(delays: Sequence[int]) -> list[int]:
    """The number of the action that `ActionDelay` executes in each tick."""
    env = ActionDelay(PayingChain([0.0] * len(delays)), InOrder(tuple(map(float, delays))), control_dt=1.0)
    env.reset(seed=0)
    ages = [env.step(np.zeros(1, np.float32))[-1]["action_age"] for _ in delays]
    return [-1 if age < 0 else tick - age for tick, age in enumerate(ages)]


def decisions_by_hand(student: Student) -> None:
    """In time, too late for the rows that are left, later and earlier than expected."""
    for arguments, right in DECISIONS:
        _expect_decision(student, arguments, right)


def decisions_of_the_clock(student: Student) -> None:
    """All small horizons and delays, compared with `chunkenv.clock`."""
    for horizon, execution, delay in itertools.product((3, 5), (1, 2, 3), range(7)):
        for waited in range(1, horizon + 1):
            cycle = plan_cycle(horizon, execution, True, range(waited, horizon), delay)
            right = {"prefix": [*cycle.prefix], "underruns": cycle.underruns, "own": [*cycle.own]}
            _expect_decision(student, (horizon, execution, waited, 2, delay), right)


def _expect_decision(student: Student, arguments: tuple[int, ...], right: dict[str, Any]) -> None:
    answer = student.call("play_decision", *arguments)
    what = f"play_decision{arguments}"
    if not isinstance(answer, dict) or set(answer) != set(right):
        raise WrongAnswer(f"{what} is a dict with {', '.join(right)}; your answer is {brief(answer)}.")
    for name, value in right.items():
        expect_same(f'{what}["{name}"]', answer[name], value)


def observations_by_hand(student: Student) -> None:
    """A chunk of four rows: two of them expected to run, all that are left, and none."""
    chunk, seen = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([9.0])
    for waited, estimate, right in ((1, 2, [2, 3, 0, 0, 2]), (3, 2, [4, 0, 0, 0, 1]), (2, 0, [0, 0, 0, 0, 0])):
        answer = student.call("observation_with_prefix", seen, chunk, waited, estimate)
        expect_array(f"observation_with_prefix([9], 1 2 3 4, {waited}, {estimate})", answer, [estimate, 9, *right])


def observations_of_the_package(student: Student) -> None:
    """What `ChunkedExecution(observe_prefix="flat")` shows, with actions of two numbers and random delays."""
    rng = np.random.default_rng(SEED)
    env = ChunkedExecution(
        PayingChain([0.0] * 40, actions=2), 5, 2, Uniform(0.0, 0.3), control_dt=0.1, observe_prefix="flat"
    )
    env.reset(seed=SEED)
    for _ in range(8):
        chunk = rng.uniform(-1.0, 1.0, (5, 2)).round(2).astype(np.float32)
        shown, _, _, _, info = env.step(chunk)
        arguments = int(info["ticks"]), int(env.request.delay_estimate)
        answer = student.call("observation_with_prefix", shown[1:2], chunk, *arguments)
        what = f"observation_with_prefix({shown[1:2].tolist()}, {chunk.tolist()}, {arguments[0]}, {arguments[1]})"
        expect_array(what, answer, shown)


def intervals(student: Student) -> None:
    """Four pairs by hand, and pairs that rise and fall together."""
    _expect_interval(student, [3.0, 5.0, 7.0, 9.0], [2.0, 2.0, 6.0, 6.0], 2.0)  # gains 1 3 1 3
    rng = np.random.default_rng(SEED)
    level = rng.normal(size=50)
    _expect_interval(student, (level + 1.0).tolist(), (level + rng.normal(size=50) / 5).tolist(), 2.01)


def _expect_interval(student: Student, first: list[float], second: list[float], quantile: float) -> None:
    answer = student.call("paired_interval", np.array(first), np.array(second), quantile)
    expect_array(f"paired_interval of {len(first)} pairs", answer, interval(np.subtract(first, second), quantile))


def interval(gains: np.ndarray, quantile: float) -> list[float]:
    """The mean of gains, and so many standard errors to both sides."""
    mean, reach = float(gains.mean()), float(quantile * gains.std(ddof=1) / np.sqrt(len(gains)))
    return [mean, mean - reach, mean + reach]


def controllers_are_numbers(student: Student) -> None:
    """As many as each controller has observations, and a constant."""
    for observe in (True, False):
        _controller(student, observe)


def the_buffer_helps(student: Student) -> None:
    """The controller with a buffer is better than any without."""
    _expect_mean(_play(student, True), "with", WITH_AT_LEAST)


def the_other_is_trained_too(student: Student) -> None:
    """A difference to a controller that has learned nothing would say nothing."""
    _expect_mean(_play(student, False), "without", WITHOUT_AT_LEAST)


def _expect_mean(returns: np.ndarray, which: str, least: float) -> None:
    if not (mean := returns.mean()) >= least:
        raise WrongAnswer(
            f'the controller "{which}" gets at least {least} an episode on hidden seeds; yours gets {mean:.2f}: '
            "train it longer, or look at what it observes."
        )


def the_difference_is_measured(student: Student) -> None:
    """The interval is as wide as 200 paired episodes make it, and lies where hidden episodes say."""
    mean, low, high = read_array("measured()", student.call("measured"), (3,))
    there, lowest, highest = interval(_play(student, True) - _play(student, False), QUANTILE)
    width = highest - lowest
    if not low < mean < high or not width / 1.5 <= high - low <= width * 1.5:
        raise WrongAnswer(
            f"the interval of {EPISODES} paired episodes is about {width:.2f} wide, with the mean inside; "
            f"yours goes from {low:g} to {high:g}, with the mean {mean:g}."
        )
    if abs(mean - there) > 1.1 * width:  # three standard errors of the difference between two such measurements
        raise WrongAnswer(f"the difference between your controllers is about {there:.2f}; you measured {mean:g}.")
    if low <= 0:
        raise WrongAnswer(f"the buffer helps: your interval has to lie above 0; it begins at {low:g}.")


def _play(student: Student, observe: bool) -> np.ndarray:
    return _hidden_returns(_controller(student, observe), observe)


def _controller(student: Student, observe: bool) -> tuple[float, ...]:
    name, count = ("with", 6) if observe else ("without", 2)
    answer = student.call("controllers")
    weights = answer.get(name) if isinstance(answer, dict) else None
    return tuple(read_array(f'controllers()["{name}"]', weights, (count,)).tolist())


@lru_cache(maxsize=4)
def _hidden_returns(weights: tuple[float, ...], observe: bool) -> np.ndarray:
    """Several tests play the same controllers."""
    return returns_on_slope(weights, observe, EPISODES, SEED)


TESTS = (
    Test("which action acts, by hand", "3.1", 10, "visible", acting_by_hand),
    Test("which action acts, compared with the package", "3.2", 10, "hidden", acting_in_the_package),
    Test("which rows run, by hand", "3.3", 10, "visible", decisions_by_hand),
    Test("which rows run, compared with the clock", "3.4", 10, "hidden", decisions_of_the_clock),
    Test("the prefix in the observation, by hand", "3.5", 10, "visible", observations_by_hand),
    Test("the prefix in the observation, compared with the package", "3.6", 10, "hidden", observations_of_the_package),
    Test("the interval of paired differences", "3.7", 10, "visible", intervals),
    Test("two controllers", "3.8", 5, "visible", controllers_are_numbers),
    Test("the controller with a buffer", "3.9", 10, "hidden", the_buffer_helps),
    Test("the controller without", "3.10", 5, "hidden", the_other_is_trained_too),
    Test("the measured difference", "3.11", 10, "hidden", the_difference_is_measured),
)
