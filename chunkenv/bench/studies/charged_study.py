"""Charged latency: every execution method pays the time that it really takes, on a policy that is slowed down.

Published studies fix the delay by hand, the same for all methods; but guidance needs gradients, and best-of-N needs N
samples. Here each method's latency is measured first, on one machine, and kept as a trace. The trace, multiplied by a
slowdown, is then the latency of that method's simulated clock: the run repeats whatever the machine does meanwhile.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import gymnasium as gym
import numpy as np

from chunkenv.bench.studies.methods import (
    METHODS,
    PREDICTION_HORIZON,
    SLOTS,
    flow_policy,
    play_method,
)
from chunkenv.bench.study import Study
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, StaleChunkWarning, UnderrunWarning
from chunkenv.evaluate import Row
from chunkenv.latency import Trace
from chunkenv.registration import ACTION_NOISE, LEVELS, read_task
from chunkenv.request import Request
from chunkenv.strategies import Strategy, measure_latency
from chunkenv.utils.checks import one_of, real_number
from chunkenv.utils.types import Observation
from chunkenv.wrappers import ChunkedExecution

NAME = "charged"
EPISODES = 64
QUICK_EPISODES = 32
BATCH = 256
CONTROL_DT = 1 / 30
"""Seconds per tick, as the tasks have it."""
DELAYS_OF_FASTEST = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Slowdowns are chosen so that the fastest method's median latency is this many ticks."""
REPEATS, ROUNDS = 1000, 20
MEASURED_ON = "mjc_walker"
"""The level with the largest observation; the networks are alike otherwise."""

Traces = Mapping[str, Sequence[float]]
"""Seconds of measured inferences, by method."""


@dataclass(frozen=True)
class ChargedCell:
    """One setting, played for some episodes.

    Attributes:
        task: name of a Kinetix level.
        method: one of `METHODS`.
        slowdown: how many times as slow as measured the policy is.
    """

    task: str
    method: str
    slowdown: float

    def __str__(self) -> str:
        return f"{self.task}, {self.method}, {self.slowdown:g} times as slow"


def charged_study(
    traces: Traces,
    tasks: Sequence[str] = LEVELS,
    methods: Sequence[str] = tuple(METHODS),
    slowdowns: Sequence[float] | None = None,
    episodes: int = EPISODES,
    seed: int = 0,
) -> Study:
    """The study over every combination of the settings given.

    Args:
        traces: of every method, as `record` makes them.
        tasks: names or ids of Kinetix levels.
        methods: of `METHODS`.
        slowdowns: above 0; if None, those at which the fastest takes the ticks of `DELAYS_OF_FASTEST`.
        episodes: of each cell.
        seed: of the study.

    Raises:
        ArgumentError: an unknown name, a slowdown that is invalid, or a method without a trace.

    >>> study = charged_study({"naive": [0.001], "rtc": [0.003]}, ["catapult"], ["naive", "rtc"])
    >>> sorted({cell.slowdown for cell in study.cells})
    [8.3, 17.0, 33.0, 50.0, 67.0, 100.0, 130.0]
    """
    tasks = [read_task(task, "Kinetix level").level for task in tasks]
    for method in methods:
        if one_of("method", method, tuple(METHODS)) not in traces:
            raise ArgumentError(f"there is no trace of the method {method!r}; record the latencies anew.")
    chosen = usual_slowdowns(traces) if slowdowns is None else [real_number("slowdown", s) for s in slowdowns]
    if min(chosen) <= 0:
        raise ArgumentError(f"slowdown={min(chosen)!r} is not above 0; 1 is as fast as measured.")
    cells = tuple(ChargedCell(*setting) for setting in itertools.product(tasks, methods, chosen))
    kept = {method: tuple(float(seconds) for seconds in traces[method]) for method in methods}
    settings = {"action_noise": ACTION_NOISE, "slots": SLOTS, "control_dt": CONTROL_DT, "traces": kept}
    return Study(NAME, cells, play=partial(play, kept), episodes=episodes, seed=seed, batch=BATCH, settings=settings,
                 cost=cost)  # fmt: skip


def usual_slowdowns(traces: Traces) -> list[float]:
    """The slowdowns at which the fastest method's median latency is the ticks of `DELAYS_OF_FASTEST`, to two digits."""
    fastest = min(float(np.median(trace)) for trace in traces.values())
    return [float(f"{delay * CONTROL_DT / fastest:.2g}") for delay in DELAYS_OF_FASTEST]


def play(traces: Traces, cell: ChargedCell, episodes: tuple[int, ...], seed: int) -> list[Row]:
    """The rows of some episodes of a cell.

    A new inference starts as soon as the last one is there; a synchronous robot executes as many rows as it waited
    ticks, as in RTC's protocol. Requests expect the longest of the last ten delays.
    """
    latency = Trace([seconds * cell.slowdown for seconds in traces[cell.method]])
    horizon = min(max(1, ticks(latency.mean(), CONTROL_DT)), PREDICTION_HORIZON)
    chunks = {"latency": latency, "execution_horizon": horizon, "delay_estimate": "max"}
    with warnings.catch_warnings():
        for kind in (StaleChunkWarning, UnderrunWarning):  # how slow is too slow is what the study asks
            warnings.simplefilter("ignore", kind)
        return play_method(cell.task, cell.method, episodes, seed, **chunks)


def cost(cell: ChargedCell) -> float:
    """How long an episode of the cell takes, compared to the others."""
    return METHODS[cell.method].cost + 0.3


def record(
    methods: Sequence[str] = tuple(METHODS), task: str = MEASURED_ON, repeats: int = REPEATS
) -> dict[str, list[float]]:
    """Measure what one inference of each method takes here, in seconds: an idle machine, please.

    The request is one in the middle of an episode, with rows left of the last chunk, so that guidance has work to do.

    Args:
        methods: of `METHODS`.
        task: the level whose policies are measured.
        repeats: inferences of each method.
    """
    asked = {method: _mid_episode(method, task) for method in methods}
    rounds = min(ROUNDS, repeats)
    seconds: dict[str, list[float]] = {method: [] for method in methods}
    for left in range(rounds, 0, -1):  # in turns: what else the machine does meanwhile hits all methods alike
        for method, of_method in seconds.items():
            count = (repeats - len(of_method)) // left
            of_method.extend(measure_latency(*asked[method], repeats=count).tolist())
    return seconds


def _mid_episode(method: str, task: str) -> tuple[Strategy, Observation, Request]:
    """A strategy, an observation and a request in the middle of an episode."""
    strategy = METHODS[method].strategy(flow_policy(task, METHODS[method].weights))
    env = ChunkedExecution(gym.make(f"chunkenv/kinetix-{task}-v0", observation="compact"), PREDICTION_HORIZON, 4, 2)
    observation, _ = env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(2):
        observation, *_ = env.step(strategy.infer(observation, env.request._replace(rng=rng)))
    request = env.request._replace(rng=rng)
    env.close()
    return strategy, observation, request
