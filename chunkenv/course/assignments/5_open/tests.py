"""Tests of assignment 5: a policy that answers alike after every reset, and what it solves by latency model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chunkenv.course.delay_profiles import sample_delays
from chunkenv.course.grading import Student, StudentPolicy, Test, WrongAnswer, read_array
from chunkenv.course.windy_cartpole import PUBLIC_MODELS, ROWS, STRONGEST, TICK, count_solved
from chunkenv.latency import Bursty, Constant, LatencyModel, LogNormal, Trace, Uniform, load_recording
from chunkenv.request import Request

SEED = 5_000
"""Of the hidden episodes; far from those that students measure on."""
EPISODES = 100
HIDDEN_MODELS: dict[str, LatencyModel] = {
    "long tail": LogNormal(3 * TICK, 0.5),
    "bursts": Bursty(Constant(2 * TICK), Uniform(5 * TICK, 9 * TICK), enter=0.12, leave=0.35),
    "recorded": Trace([6 * seconds for seconds in load_recording().seconds]),
}
"""Of other kinds than the public ones: rare slow inferences, slow ones that come together, those of a real machine."""
HALF_AND_FULL = {
    "constant": (0.6, 0.9),
    "uniform": (0.55, 0.7),
    "long tail": (0.55, 0.7),
    "bursts": (0.45, 0.52),
    "recorded": (0.65, 0.7),
}
"""Solve rates that get half of the points, and all; the full ones three standard errors below the reference."""
SHOWN = 150
"""Inferences whose delays the leaderboard draws."""
NO_ROWS = np.zeros((0, 1), np.float32)
LEFT_OVER = np.array([[1.0], [2.0], [3.0]], np.float32)
SCRIPT = (
    ((0.0, 0.1, 0.02, -0.1), NO_ROWS, 0),
    ((0.1, -0.2, 0.15, 1.0), LEFT_OVER, 2),
    ((0.0, 0.0, 0.0, 0.0), LEFT_OVER, 7),
)
"""Observations, rows left over and estimates of three requests; the second needs a strong push."""


def chunks_can_be_played(student: Student) -> None:
    """16 rows of one push each, no push too strong."""
    policy = student.policy("OpenPolicy")
    policy.reset()
    for place, chunk in enumerate(_answers(policy)):
        if (strongest := np.abs(chunk).max()) > STRONGEST:
            raise WrongAnswer(
                f"chunk {place} has a push of {strongest:g} N; CartPole takes -{STRONGEST:g} to {STRONGEST:g}: clip it."
            )


def episodes_do_not_know_each_other(student: Student) -> None:
    """The same requests get the same chunks after every reset."""
    policy, found = student.policy("OpenPolicy"), []
    for _ in range(2):
        policy.reset()
        found.append(_answers(policy))
    for place, (first, second) in enumerate(zip(*found, strict=True)):
        if not np.array_equal(first, second):
            raise WrongAnswer(
                f"chunk {place} of an episode differs when the episode is played again; set everything in reset(), and "
                "draw random numbers from request.rng alone."
            )


def _answers(policy: StudentPolicy) -> list[np.ndarray]:
    """The chunks for the requests of the script, float [16, 1] each."""
    rng = np.random.default_rng(SEED)
    requests = [
        Request(4 * place, rows[:estimate], len(rows[:estimate]), estimate, 4, rows, rng)
        for place, (_, rows, estimate) in enumerate(SCRIPT)
    ]
    observations = [np.array(seen, np.float32) for seen, _, _ in SCRIPT]
    answers = [policy.infer(seen, request) for seen, request in zip(observations, requests, strict=True)]
    return [read_array(f"chunk {place}", answer, (ROWS, 1)) for place, answer in enumerate(answers)]


def solves(name: str) -> Callable[[Student], float]:
    """A test of the solve rate under one latency model."""

    def run(student: Student) -> float:
        model = {**PUBLIC_MODELS, **HIDDEN_MODELS}[name]
        solved, episodes = count_solved(student.policy("OpenPolicy"), {name: model}, EPISODES, SEED)[name]
        if name in HIDDEN_MODELS:
            student.record(name, solved, episodes, sample_delays(model, TICK, SHOWN, SEED))
        return _share(name, solved / episodes)

    return run


def _share(name: str, rate: float) -> float:
    half, full = HALF_AND_FULL[name]
    if rate < half:
        raise WrongAnswer(f"{rate:.0%} of {EPISODES} episodes are solved; {half:.0%} get half of the points.")
    return 1.0 if rate >= full else 0.5


TESTS = (
    Test("chunks that can be played", "5.1", 5, "visible", chunks_can_be_played),
    Test("the same episode again", "5.2", 10, "visible", episodes_do_not_know_each_other),
    Test("a constant latency", "5.3", 10, "visible", solves("constant")),
    Test("a uniform latency", "5.4", 15, "visible", solves("uniform")),
    Test("a latency with a long tail", "5.5", 20, "hidden", solves("long tail")),
    Test("latencies in bursts", "5.6", 20, "hidden", solves("bursts")),
    Test("latencies of a real machine", "5.7", 20, "hidden", solves("recorded")),
)
