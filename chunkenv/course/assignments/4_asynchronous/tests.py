"""Tests of assignment 4: tables worked out by hand, the package's own strategies, and a Kinetix level played late."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from chunkenv.bench.analysis.intervals import wilson
from chunkenv.course.grading import Student, Test, WrongAnswer, expect_array, expect_number
from chunkenv.course.late_flows import late_flow, play_late
from chunkenv.evaluate import Row, reset_policy
from chunkenv.request import Request
from chunkenv.strategies import TemporalEnsembling, prefix_weights
from chunkenv.strategies.continuation.rtc import GuidedEuler, guided_velocity

SEED = 41
STEPS, MAX_GUIDANCE, DECAY = 5, 5.0, 0.1
LEVEL, DELAY, EPISODES = "mjc_half_cheetah", 3, 32
SOLVED_AT_LEAST, JUMP_AT_MOST = 0.3, 0.65
"""Of the level with that delay: naive chunks jump further, and guidance that pulls the wrong way solves less."""
WEIGHTS = (
    ((2, 2, 4, 6), [1, 1, 0.3677, 0.0767, 0, 0]),
    ((0, 2, 4, 6), [0.5706, 0.2871, 0.1145, 0.0258, 0, 0]),
    ((3, 3, 3, 6), [1, 1, 1, 0, 0, 0]),
    ((1, 1, 0, 4), [0, 0, 0, 0]),
)
"""Delay, execution horizon, rows left, H; and the weights."""
GUIDANCE = ((0.0, 5.0, 5.0), (0.5, 5.0, 2.0), (0.8, 5.0, 4.25), (0.9, 5.0, 5.0), (0.8, 1.0, 1.0))
"""Flow time, clip, and the weight."""


class FlowByFormula(NamedTuple):
    """A velocity and the product of its transposed Jacobian with an error, by formula."""

    velocity: Callable[[np.ndarray, float], np.ndarray]
    vjp: Callable[[np.ndarray, float, np.ndarray], np.ndarray]


def straight_flow() -> FlowByFormula:
    """Two rows of one number; row 0 is moved by row 1, but not the other way round."""
    matrix = np.array([[0.0, 2.0], [0.0, 0.0]])  # velocity = matrix @ chunk
    return FlowByFormula(
        lambda chunks, time: np.einsum("ij,njk->nik", matrix, _read(chunks)),
        lambda chunks, time, error: np.einsum("ij,nik->njk", matrix, _read(error)),
    )


def bent_flow(rng: np.random.Generator, size: int) -> FlowByFormula:
    """A small network, tanh between two matrices: neither of them equals its transpose.

    Args:
        rng: for the matrices.
        size: numbers of a chunk, H * A.
    """
    inner, outer = rng.normal(size=(2, size, size)) / np.sqrt(size)

    def hidden(chunks: np.ndarray, time: float) -> np.ndarray:
        return np.tanh(_read(chunks).reshape(-1, size) @ inner + time)

    def velocity(chunks: np.ndarray, time: float) -> np.ndarray:
        return (hidden(chunks, time) @ outer).reshape(np.shape(chunks))

    def vjp(chunks: np.ndarray, time: float, error: np.ndarray) -> np.ndarray:
        slope = 1 - hidden(chunks, time) ** 2
        return ((_read(error).reshape(-1, size) @ outer.T) * slope @ inner.T).reshape(np.shape(error))

    return FlowByFormula(velocity, vjp)


def _read(chunks: Any) -> np.ndarray:
    """What the student's code gives to a velocity.

    Raises:
        WrongAnswer: it is no batch of chunks.
    """
    array = np.asarray(chunks, float)
    if array.ndim != 3:
        raise WrongAnswer(f"chunks have the shape [N, H, A]; the velocity was given one of shape {array.shape}.")
    return array


class BentCase(NamedTuple):
    """A flow of 3 chunks of 6 rows of 2 numbers, in the middle of sampling."""

    flow: FlowByFormula
    chunks: np.ndarray
    plan: np.ndarray
    weights: np.ndarray


def bent_case() -> BentCase:
    """Plans of which 5, 3 and no rows are left."""
    rng = np.random.default_rng(SEED)
    weights = prefix_weights(np.array([2, 1, 0]), np.array([4, 3, 0]), 6)[:, :, None].astype(float)
    return BentCase(bent_flow(rng, 12), rng.normal(size=(3, 6, 2)), rng.normal(size=(3, 6, 2)), weights)


def naive_by_hand(student: Student) -> None:
    """A constant velocity of 2 carries a chunk of 1 to 3, in any number of steps; a growing one depends on them."""
    ones = np.ones((1, 2, 1))
    for steps, velocity, right in ((1, _drift, 3.0), (4, _drift, 3.0), (2, _grow, 2.25)):
        answer = student.call("naive_chunks", velocity, ones, steps)
        expect_array(f"naive_chunks of ones in {steps} steps", answer, right * ones)


def _drift(chunks: np.ndarray, time: float) -> np.ndarray:
    """Two everywhere."""
    return np.full_like(_read(chunks), 2.0)


def _grow(chunks: np.ndarray, time: float) -> np.ndarray:
    """1 is 1.5 after half a step, then 2.25."""
    return _read(chunks)


def naive_of_a_network(student: Student) -> None:
    """A velocity that depends on the flow time: step k begins at k / steps."""
    flow, noise, *_ = bent_case()
    right = noise
    for step in range(STEPS):
        right = right + flow.velocity(right, step / STEPS) / STEPS
    expect_array("naive_chunks of a network", student.call("naive_chunks", flow.velocity, noise, STEPS), right)


def ensembling_by_hand(student: Student) -> None:
    """Chunks of 4 rows, all 0, then all 1 two ticks later: two rows are means, two are new."""
    policy, share = student.policy("Ensembling"), 1 / (1 + np.exp(DECAY))
    reset_policy(policy)
    for tick, right in ((0, [0.0] * 4), (2, [share, share, 1.0, 1.0])):
        chunk = np.full((4, 1), float(tick > 0))
        answer = policy.infer(chunk, _request(tick))
        expect_array(f"the ensembled chunk at tick {tick}", answer, np.array(right)[:, None])


class Shown:
    """A policy whose chunk is what it observes."""

    def infer(self, observation: np.ndarray, request: Request) -> np.ndarray:
        """The observation."""
        return observation


def ensembling_of_the_package(student: Student) -> None:
    """Two episodes with requests at odd times; the second one knows nothing of the first."""
    policy, rng = student.policy("Ensembling"), np.random.default_rng(SEED)
    for episode in (1, 2):
        reset_policy(policy)
        chunks: dict[int, np.ndarray] = {}
        right = TemporalEnsembling(Shown(), DECAY)
        for tick in (0, 1, 3, 4, 9, 10):
            chunks[tick] = rng.normal(size=(5, 2))
            request = _request(tick)
            expected = right.infer(chunks[tick], request)
            answer = policy.infer(chunks[tick].copy(), request)
            expect_array(f"the ensembled chunk at tick {tick} of episode {episode}", answer, expected)


def _request(tick: int) -> Request:
    none = np.zeros((0, 1))
    return Request(tick, none, 0, 0, 2, none)


def weights_by_hand(student: Student) -> None:
    """Frozen rows and decaying ones, no delay, no row between, and nothing left."""
    for arguments, right in WEIGHTS:
        expect_array(f"prefix_weights{arguments}", student.call("prefix_weights", *arguments), right, tolerance=1e-3)


def weights_of_the_package(student: Student) -> None:
    """All delays, horizons and rows left of chunks of 5 and of 8 rows."""
    for horizon in (5, 8):
        for delay, s, left in itertools.product(range(5), range(1, 5), range(horizon + 1)):
            arguments = (delay, s, left, horizon)
            end = min(left, horizon - s)
            right = prefix_weights(min(delay, end), end, horizon)
            expect_array(f"prefix_weights{arguments}", student.call("prefix_weights", *arguments), right, 1e-5)


def guidance_by_hand(student: Student) -> None:
    """At the beginning, in the middle, near the end, and with another clip."""
    for time, clip, right in GUIDANCE:
        expect_number(f"guidance_weight({time}, {clip})", student.call("guidance_weight", time, clip), right)


def guided_by_hand(student: Student) -> None:
    """The table in the text: row 0 is held to 4, row 1 is free."""
    chunks, plan, weights = (np.array([[[first], [second]]]) for first, second in ((1.0, 1.0), (4.0, 9.0), (1.0, 0.0)))
    answer = student.call("guided_velocity", *straight_flow(), chunks, 0.5, plan, weights, MAX_GUIDANCE)
    expect_array("guided_velocity of the example in the text", answer, [[[6.0], [4.0]]])


def guided_of_a_network(student: Student) -> None:
    """At three flow times, and with another clip."""
    flow, chunks, plan, weights = bent_case()
    for time, clip in ((0.0, 5.0), (0.4, 5.0), (0.8, 5.0), (0.4, 0.5)):
        right = guided_velocity(_denoiser(flow), None, chunks, time, plan, weights, clip)
        answer = student.call("guided_velocity", *flow, chunks, time, plan, weights, clip)
        expect_array(f"guided_velocity of a network at flow time {time}, clipped at {clip}", answer, right)


def guided_chunks_of_a_network(student: Student) -> None:
    """From noise to a chunk, held to three plans."""
    flow, noise, plan, weights = bent_case()
    right = GuidedEuler(STEPS, MAX_GUIDANCE)(_denoiser(flow), None, noise, plan, weights)
    answer = student.call("guided_chunks", *flow, noise, plan, weights, STEPS, MAX_GUIDANCE)
    expect_array("guided_chunks of a network", answer, right)


def _denoiser(flow: FlowByFormula) -> Any:
    """The same as the package's strategies want it."""
    return SimpleNamespace(
        velocity_vjp=lambda seen, chunks, time: (
            flow.velocity(chunks, time),
            lambda error: flow.vjp(chunks, time, error),
        )
    )


def corrections_by_hand(student: Student) -> None:
    """A head that adds 0.1 to what is planned; the chunk of tick 4 has row 2 for tick 6."""
    chunk = np.array([[0.0], [0.2], [0.4], [0.95]])
    for tick, right in ((4, 0.1), (6, 0.5), (7, 1.0)):
        answer = student.call("corrected_action", lambda seen, planned, row: [0.1], np.zeros(1), chunk, 4, tick)
        expect_array(f"corrected_action in tick {tick} of a chunk of tick 4", answer, [right])


def corrections_of_a_head(student: Student) -> None:
    """A head that looks at everything: the observation, the planned action, and its place in the chunk."""
    rng = np.random.default_rng(SEED)
    mix = rng.normal(size=(3, 2)) / 4

    def head(seen: np.ndarray, planned: np.ndarray, row: int) -> np.ndarray:
        return (np.asarray(seen) @ mix + 0.3 * np.asarray(planned)[::-1] + 0.05 * row) / 2

    for requested, tick in ((0, 0), (3, 7), (10, 11)):
        seen, chunk = rng.normal(size=3), rng.uniform(-1, 1, (5, 2))
        planned = chunk[tick - requested]
        right = np.clip(planned + head(seen, planned, tick - requested), -1, 1)
        answer = student.call("corrected_action", head, seen, chunk, requested, tick)
        expect_array(f"corrected_action in tick {tick} of a chunk of tick {requested}", answer, right)


def step_by_hand(student: Student) -> None:
    """Two samples with errors of 1 and -3, one feature of 1 and 2: the gradient is 1 * 1 + 2 * -3 = -5."""
    arguments = np.zeros((1, 1)), np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]]), np.array([[0.0], [3.0]])
    expect_array("train_head of two samples", student.call("train_head", *arguments, 0.1), [[0.5]])


def steps_find_the_residual(student: Student) -> None:
    """Forty steps for actions of two numbers, each compared with the gradient; they end at what the labels add."""
    rng = np.random.default_rng(SEED)
    features, planned, truth = rng.normal(size=(50, 3)), rng.normal(size=(50, 2)), rng.normal(size=(3, 2))
    labels, weights = planned + features @ truth, np.zeros((3, 2))
    for step in range(40):
        right = weights - 0.4 * features.T @ (planned + features @ weights - labels) / 50
        answer = student.call("train_head", weights, features, planned, labels, 0.2)
        expect_array(f"train_head, step {step + 1}", answer, right)
        weights = right


def intervals(student: Student) -> None:
    """Few, many, none and all."""
    for solved, episodes in ((9, 10), (32, 64), (0, 20), (20, 20)):
        answer = student.call("wilson", solved, episodes)
        expect_array(f"wilson({solved}, {episodes})", answer, [*wilson(solved, episodes)], tolerance=1e-4)


def played_late(student: Student) -> None:
    """The flow policy of a level, with a delay of three ticks: it solves enough, and chunks follow each other."""
    rows = play_guided(student)
    solved, jump = np.mean([bool(row["success"]) for row in rows]), np.mean([row["boundary_jump"] for row in rows])
    if not jump <= JUMP_AT_MOST:
        raise WrongAnswer(
            f"with a delay of {DELAY} ticks the action changes by {JUMP_AT_MOST} at most from one chunk to the next; "
            f"with your guided_chunks it changes by {jump:.2f}."
        )
    if not solved >= SOLVED_AT_LEAST:
        raise WrongAnswer(
            f"with a delay of {DELAY} ticks guided chunks solve at least {SOLVED_AT_LEAST:.0%} of {LEVEL}; yours solve "
            f"{solved:.0%}."
        )


def play_guided(student: Student) -> list[Row]:
    """The level, played by the student's guided chunks."""

    def sample(velocity: Any, vjp: Any, noise: np.ndarray, plan: np.ndarray, weights: np.ndarray) -> Any:
        return student.call("guided_chunks", velocity, vjp, noise, plan, weights, STEPS, MAX_GUIDANCE)

    def weights_of(*arguments: int) -> Any:
        return student.call("prefix_weights", *arguments)

    return play_late(late_flow(LEVEL, sample, weights_of), LEVEL, DELAY, EPISODES, SEED)


TESTS = (
    Test("naive chunks, by hand", "4.1", 5, "visible", naive_by_hand),
    Test("naive chunks of a network", "4.2", 5, "hidden", naive_of_a_network),
    Test("ensembling, by hand", "4.3", 5, "visible", ensembling_by_hand),
    Test("ensembling, two episodes, compared with the package", "4.4", 10, "hidden", ensembling_of_the_package),
    Test("weights of the plan, by hand", "4.5", 5, "visible", weights_by_hand),
    Test("weights of the plan, compared with the package", "4.6", 10, "hidden", weights_of_the_package),
    Test("the weight of the guidance", "4.7", 5, "visible", guidance_by_hand),
    Test("a guided velocity, by hand", "4.8", 5, "visible", guided_by_hand),
    Test("guided velocities of a network", "4.9", 10, "hidden", guided_of_a_network),
    Test("guided chunks of a network", "4.10", 5, "hidden", guided_chunks_of_a_network),
    Test("corrected actions, by hand", "4.11", 5, "visible", corrections_by_hand),
    Test("corrected actions of a head that looks at everything", "4.12", 5, "hidden", corrections_of_a_head),
    Test("one step of training a head, by hand", "4.13", 5, "visible", step_by_hand),
    Test("forty steps of training a head", "4.14", 5, "hidden", steps_find_the_residual),
    Test("Wilson's interval", "4.15", 5, "visible", intervals),
    Test("a Kinetix level with a delay of three ticks", "4.16", 10, "hidden", played_late),
)
