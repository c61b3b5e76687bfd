"""How long a policy takes to answer: one request after another, as a control loop makes them, and several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from chunkenv.clock import ticks
from chunkenv.evaluate import episode_seed, reset_policy
from chunkenv.latency import TraceRow
from chunkenv.request import Policy, Request
from chunkenv.utils.checks import whole_number
from chunkenv.utils.seeding import spawn
from chunkenv.utils.types import AnyEnv, Observation

MOST_KEPT = 64
"""Questions that are asked again when several are under way: images are large."""


class Question(NamedTuple):
    """What a policy was asked."""

    observation: Observation
    request: Request


class Measurement(NamedTuple):
    """What was measured.

    Attributes:
        rows: one for each inference, as `chunkenv.latency.write_trace` takes them.
        questions: some of what was asked, for `measure_together`.
    """

    rows: list[TraceRow]
    questions: list[Question]


def measure(env: AnyEnv, policy: Policy, inferences: int, seed: int, warm_up: int = 3) -> Measurement:
    """Play episodes with a policy, each decision charged with what its own inference took, and time every inference.

    Requests are those that a control loop of this latency makes: with its prefix, at its ticks. So the recording can
    be replayed tick for tick: `Trace(path, mode="exact")`.

    Args:
        env: a `ChunkedExecution` with latency=Measured().
        policy: what is measured.
        inferences: how many, at least 1; the last episode ends with the last of them.
        seed: of the episodes, as `chunkenv.evaluate` has it.
        warm_up: inferences of the first request that come before and are in no row: servers compile with the first.

    Raises:
        ArgumentError: an invalid number.
        PolicyFault: the policy failed.
    """
    whole_number("inferences", inferences, at_least=1)
    whole_number("warm_up", warm_up, at_least=0)
    found = Measurement([], [])
    episode = 0
    while len(found.rows) < inferences:
        _measure_episode(env, policy, episode, episode_seed(seed, episode), inferences, warm_up, found)
        episode, warm_up = episode + 1, 0
    return found


def _measure_episode(
    env: AnyEnv, policy: Policy, episode: int, seed: int, inferences: int, warm_up: int, found: Measurement
) -> None:
    rng = spawn(seed, "policy")
    reset_policy(policy)
    observation, _ = env.reset(seed=seed)
    for _ in range(warm_up):
        policy.infer(observation, env.get_wrapper_attr("request")._replace(rng=rng))
    ended = False
    while not ended and len(found.rows) < inferences:
        request: Request = env.get_wrapper_attr("request")._replace(rng=rng)
        if len(found.questions) < MOST_KEPT:
            found.questions.append(Question(observation, request))
        started = time.perf_counter()
        chunk = policy.infer(observation, request)
        seconds = time.perf_counter() - started
        env.get_wrapper_attr("charge")(seconds)
        observation, _, terminated, truncated, info = env.step(chunk)
        delay = None if request.tick == 0 else int(info["delay"])
        found.rows.append(TraceRow(episode, request.tick, seconds, delay))
        ended = terminated or truncated


def measure_together(
    policy: Policy, questions: Sequence[Question], at_once: int, inferences: int, control_dt: float
) -> list[TraceRow]:
    """Time inferences while so many are under way all the time: a server that answers one at a time is slower then.

    Args:
        policy: may be asked by several threads, as `RemotePolicy` may.
        questions: what is asked, in turns.
        at_once: inferences under way.
        inferences: how many in all, at least one for each place.
        control_dt: seconds per tick.

    Returns:
        The rows, those of each of the places as an episode, at the ticks in which they would have started.

    Raises:
        PolicyFault: the policy failed.
    """
    share = -(-inferences // at_once)
    begin = threading.Barrier(at_once)

    def ask(place: int) -> list[tuple[float, float]]:
        rng = np.random.default_rng(place)
        begin.wait()
        return [_time(policy, questions[(place + i) % len(questions)], rng) for i in range(share)]

    with ThreadPoolExecutor(at_once) as pool:
        timed = list(pool.map(ask, range(at_once)))
    first = min(started for of_place in timed for started, _ in of_place)
    return [row for place, of_place in enumerate(timed) for row in _rows(place, of_place, first, control_dt)]


def _time(policy: Policy, question: Question, rng: np.random.Generator) -> tuple[float, float]:
    """When an inference started, and the seconds that it took."""
    started = time.perf_counter()
    policy.infer(question.observation, question.request._replace(rng=rng))
    return started, time.perf_counter() - started


def _rows(place: int, timed: Sequence[tuple[float, float]], first: float, control_dt: float) -> list[TraceRow]:
    at = [int((started - first) / control_dt) for started, _ in timed]
    for before, after in pairwise(range(len(at))):  # two in one tick would have been in two
        at[after] = max(at[after], at[before] + 1)
    return [
        TraceRow(place, tick, seconds, ticks(seconds, control_dt)) for tick, (_, seconds) in zip(at, timed, strict=True)
    ]
