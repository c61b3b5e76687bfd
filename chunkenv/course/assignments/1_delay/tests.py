"""Tests of assignment 1: tables worked out by hand, the package's own clock, and CartPole played with a delay."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.clock import ticks as ticks_of
from chunkenv.course.delay_curves import cartpole_by_delay
from chunkenv.course.grading import Student, Test, WrongAnswer, expect_number, expect_same
from chunkenv.request import Request
from chunkenv.timeline import plan_timeline

SEED = 11
TICKS = 24
SETTINGS = ((8, 4, (0, 4)), (8, 1, (0, 4)), (8, 5, (0, 3)), (6, 2, (1, 3)))
"""Prediction and execution horizons, and the range of delays, which leave no underruns."""
LATE = ((8, 4, (5, 12)), (4, 2, (3, 7)), (1, 1, (0, 3)))
"""The same, with inferences that take longer than the rows last."""
DELAY, EPISODES, LEAST = 4, 8, 400.0
"""A delay at which holding falls after 10 ticks; the reference stands for all 500 of every episode."""


def ticks_by_hand(student: Student) -> None:
    """Latencies that end in a tick, and in the middle of one."""
    for latency, control_dt, right in ((0.0, 0.05, 0), (0.05, 0.05, 1), (0.06, 0.05, 2), (0.12, 0.05, 3)):
        _expect_ticks(student, latency, control_dt, right)


def ticks_in_floats(student: Student) -> None:
    """Ratios that floats miss by a little."""
    for latency, control_dt in ((0.14, 0.02), (0.28, 0.04), (0.3, 0.1), (0.7, 0.1), (0.101, 0.05)):
        _expect_ticks(student, latency, control_dt, ticks_of(latency, control_dt))


def _expect_ticks(student: Student, latency: float, control_dt: float, right: int) -> None:
    expect_same(f"delay_in_ticks({latency}, {control_dt})", student.call("delay_in_ticks", latency, control_dt), right)


def requests_by_hand(student: Student) -> None:
    """Every fourth tick; later after an inference of six."""
    for delays, right in (([0, 2, 2, 2], [0, 4, 8, 12]), ([0, 6, 2, 2], [0, 4, 10, 14])):
        expect_same(f"requests_of({delays}, 4)", student.call("requests_of", delays, 4), right)


def rows_by_hand(student: Student) -> None:
    """H = 8, s = 4, d = 2: rows 4 and 5 of the old chunk, then rows 2 and 3 of the new one."""
    right = [(0, row) for row in range(6)] + [(1, 2), (1, 3), (1, 4), (1, 5), (2, 2), (2, 3)]
    _expect_rows(student, [0, 2, 2, 2], 8, 4, right)


def rows_of_the_clock(student: Student) -> None:
    """Delays that differ, as the package's clock plays them."""
    _expect_clock(student, SETTINGS)


def late_chunks(student: Student) -> None:
    """Chunks that come after the last row of the one before, or after their own last row."""
    _expect_clock(student, LATE)


def _expect_clock(student: Student, settings: tuple[tuple[int, int, tuple[int, int]], ...]) -> None:
    for rows, horizon, delays, acted, _ in _played(settings):
        _expect_rows(student, delays, rows, horizon, acted)


def _played(
    settings: tuple[tuple[int, int, tuple[int, int]], ...],
) -> list[tuple[int, int, list[int], list, list[int]]]:
    """Prediction and execution horizon, delays, the rows that acted, and the ticks of requests, by the package."""
    rng, found = np.random.default_rng(SEED), []
    for rows, horizon, (low, high) in settings:
        delays = [0, *rng.integers(low, high + 1, TICKS).tolist()]
        timeline = plan_timeline(rows, horizon, delays, TICKS)
        requests = np.cumsum([0, *(max(horizon, delay) for delay in delays[:-1])]).tolist()
        found.append((rows, horizon, delays, [tuple(each) for each in timeline.acted], requests))
    return found


def _expect_rows(student: Student, delays: list[int], rows: int, horizon: int, right: list[tuple[int, int]]) -> None:
    answer = student.call("rows_played", delays, rows, horizon, len(right))
    what = f"rows_played({delays}, {rows}, {horizon}, {len(right)})"
    if not isinstance(answer, list | np.ndarray) or len(answer) != len(right):
        raise WrongAnswer(f"{what} has {len(right)} pairs; your answer is {answer!r}.")
    for tick, (found, pair) in enumerate(zip(answer, right, strict=True)):
        expect_same(f"tick {tick} of {what}", list(found), list(pair))


def underruns_by_hand(student: Student) -> None:
    """None, some, all."""
    for played, right in (([(0, 0), (0, 1)], 0), ([(0, 0), (-1, -1), (1, 2), (-1, -1)], 2), ([(-1, -1)] * 3, 3)):
        expect_number(f"count_underruns({played})", student.call("count_underruns", played), right)


def staleness_by_hand(student: Student) -> None:
    """An old chunk, no row, a new chunk."""
    played, requests = [(0, 0), (0, 1), (0, 2), (-1, -1), (1, 2)], [0, 2]
    answer = student.call("staleness", played, requests)
    expect_same(f"staleness({played}, {requests})", answer, [0, 1, 2, -1, 2])


def staleness_of_the_clock(student: Student) -> None:
    """Row i of a chunk is i ticks old; in an underrun nothing acts."""
    for *_, acted, requests in _played((*SETTINGS, *LATE)):
        right = [row for _, row in acted]
        expect_same(f"staleness({acted}, {requests})", student.call("staleness", acted, requests), right)


def error_by_hand(student: Student) -> None:
    """1, 2, 3: spread 1, error 1 / sqrt(3)."""
    _expect_error(student, [1.0, 2.0, 3.0], 2.0, 3**-0.5)


def error_of_few(student: Student) -> None:
    """Two values, and equal ones."""
    _expect_error(student, [0.0, 4.0], 2.0, 2.0)
    _expect_error(student, [5.0, 5.0, 5.0], 5.0, 0.0)


def _expect_error(student: Student, values: list[float], mean: float, error: float) -> None:
    answer = student.call("mean_and_error", values)
    if not isinstance(answer, list) or len(answer) != 2:
        raise WrongAnswer(f"mean_and_error({values}) is a pair of numbers; your answer is {answer!r}.")
    expect_number(f"the mean of {values}", answer[0], mean)
    expect_number(f"the standard error of {values}", answer[1], error)


def chunk_without_prefix(student: Student) -> None:
    """At the first request nothing runs meanwhile: every row is chosen."""
    _expect_chunk(student, np.array([0.01, 0.2, 0.03, -0.1]), [])


def chunk_with_prefix(student: Student) -> None:
    """Rows that push to one side run meanwhile: the later ones answer to the state that they lead to."""
    for state in np.random.default_rng(SEED).uniform(-0.05, 0.05, (6, 4)):
        for prefix in ([1], [1, 1, 1], [0, 0, 0, 0]):
            _expect_chunk(student, state, prefix)


def _expect_chunk(student: Student, state: np.ndarray, prefix: list[int]) -> None:
    request = Request(4, np.array(prefix, np.int64), len(prefix), len(prefix), 4, np.array(prefix, np.int64))
    answer = student.policy("PredictingPolicy").infer(state, request)
    expect_same(
        f"the chunk for state {state.round(3).tolist()} and prefix {prefix}", _listed(answer), _plan(state, prefix)
    )


def _listed(answer: object) -> object:
    return (
        [int(each) if isinstance(each, bool | np.bool_) else each for each in answer]
        if isinstance(answer, list)
        else answer
    )


def _plan(state: np.ndarray, prefix: list[int]) -> list[int]:
    """The right chunk: CartPole stands in Gymnasium, the choice in the template."""
    env: Any = gym.make("CartPole-v1").unwrapped
    env.reset(seed=0)
    env.state, chunk = tuple(state), []
    for row in range(8):
        x, x_dot, theta, theta_dot = env.state
        chosen = int(theta + 0.5 * theta_dot + 0.05 * x + 0.1 * x_dot > 0)
        chunk.append(prefix[row] if row < len(prefix) else chosen)
        env.step(chunk[-1])
    return chunk


def cartpole_stands(student: Student) -> None:
    """CartPole with a delay of four ticks."""
    (returns,) = cartpole_by_delay(student.policy("PredictingPolicy"), [DELAY], EPISODES, SEED).values()
    mean = float(np.mean(returns))
    if mean < LEAST:
        raise WrongAnswer(f"with a delay of {DELAY} ticks the pole stands for {mean:.0f} ticks; {LEAST:g} are needed.")


TESTS = (
    Test("Latencies in ticks, by hand", "1.1", 5, "visible", ticks_by_hand),
    Test("Latencies in ticks, in floats", "1.2", 5, "hidden", ticks_in_floats),
    Test("Requests, by hand", "2.1", 5, "visible", requests_by_hand),
    Test("Rows, by hand", "3.1", 10, "visible", rows_by_hand),
    Test("Rows, as the clock plays them", "3.2", 10, "hidden", rows_of_the_clock),
    Test("Chunks that come too late", "3.3", 10, "hidden", late_chunks),
    Test("Underruns", "4.1", 5, "visible", underruns_by_hand),
    Test("Staleness, by hand", "5.1", 5, "visible", staleness_by_hand),
    Test("Staleness, as the clock has it", "5.2", 10, "hidden", staleness_of_the_clock),
    Test("Standard error, by hand", "6.1", 5, "visible", error_by_hand),
    Test("Standard error of few values", "6.2", 5, "hidden", error_of_few),
    Test("A chunk without a prefix", "7.1", 5, "visible", chunk_without_prefix),
    Test("Chunks with a prefix", "7.2", 10, "hidden", chunk_with_prefix),
    Test("CartPole with a delay of four ticks", "7.3", 10, "hidden", cartpole_stands),
)
