"""Charged latency: every execution method pays the time that it really takes, on a policy that is slowed down.

Published studies fix the delay by hand, the same for all methods; but guidance needs gradients, and best-of-N needs N
samples. Here each method's latency is measured first, on one machine, and kept as a trace. The trace, multiplied by a
slowdown, is then the latency of that method's simulated clock: the run repeats whatever the machine does meanwhile.

A second axis is the size of the policy's network. The *time* is measured with real networks of that size, whose weights
are random. The *behaviour* is that of the package's policy at every size: what is compared is what time costs.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from chunkenv.bench.studies.measured_latency import CONTROL_DT, SHIPPED, SizedTraces, Traces
from chunkenv.bench.studies.methods import METHODS, PREDICTION_HORIZON, SLOTS, play_method, tick_cost
from chunkenv.bench.studies.policy_families import family_identity, settled_family
from chunkenv.bench.studies.rtc_study import PAPERS_METHODS
from chunkenv.bench.study import Study
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, StaleChunkWarning, UnderrunWarning
from chunkenv.evaluate import Row
from chunkenv.latency import Trace
from chunkenv.registration import ACTION_NOISE, LEVELS, POLICIES, read_task
from chunkenv.utils.checks import one_of, real_number

NAME = "charged"
EPISODES = 64
QUICK_EPISODES = 16
BATCH = 256
SIZES = (SHIPPED, 3.0, 30.0)
"""Million parameters."""
DELAYS_OF_FASTEST = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Slowdowns are chosen so that the fastest method's median latency is this many ticks."""


@dataclass(frozen=True)
class ChargedCell:
    """One setting, played for some episodes.

    Attributes:
        task: name of a Kinetix level.
        method: one of `METHODS`.
        size: of the network whose time is charged, in million parameters.
        slowdown: how many times as slow as measured it is.
    """

    task: str
    method: str
    size: float
    slowdown: float

    def __str__(self) -> str:
        return f"{self.task}, {self.method}, {self.size:g} million parameters, {self.slowdown:g} times as slow"


def charged_study(
    traces: SizedTraces,
    tasks: Sequence[str] = LEVELS,
    methods: Sequence[str] = PAPERS_METHODS,
    slowdowns: Sequence[float] | None = None,
    episodes: int = EPISODES,
    seed: int = 0,
    policies: str = POLICIES,
) -> Study:
    """The study over every combination of the settings given.

    Args:
        traces: of every method and size, as `record` makes them; every size is played.
        tasks: names or ids of Kinetix levels.
        methods: of `METHODS`.
        slowdowns: above 0; if None, 1, and those at which the fastest takes the ticks of `DELAYS_OF_FASTEST`, for each
            size.
        episodes: of each cell.
        seed: of the study.
        policies: "published", "smooth", or a folder of flow policies.

    Raises:
        ArgumentError: an unknown name or family, a slowdown that is invalid, or a method without a trace.

    >>> study = charged_study({0.4: {"naive": [0.001], "rtc": [0.003]}}, ["catapult"], ["naive", "rtc"])
    >>> sorted({cell.slowdown for cell in study.cells})
    [1.0, 8.3, 17.0, 33.0, 50.0, 67.0, 100.0, 130.0]
    """
    tasks = [read_task(task, "Kinetix level").level for task in tasks]
    kept = {size: {method: _trace_of(method, traces[size], size) for method in methods} for size in sorted(traces)}
    chosen = None if slowdowns is None else [real_number("slowdown", each) for each in slowdowns]
    if chosen and min(chosen) <= 0:
        raise ArgumentError(f"slowdown={min(chosen)!r} is not above 0; 1 is as fast as measured.")
    cells = [
        ChargedCell(task, method, size, slowdown)
        for size, of_size in kept.items()
        for task, method, slowdown in itertools.product(tasks, methods, chosen or usual_slowdowns(of_size))
    ]
    settings = {
        "action_noise": ACTION_NOISE,
        "slots": SLOTS,
        "control_dt": CONTROL_DT,
        "policies": family_identity(policies),
        "traces": {f"{size:g}": of_size for size, of_size in kept.items()},
    }
    return Study(NAME, tuple(cells), play=partial(play, settled_family(policies), kept), episodes=episodes, seed=seed,
                 batch=BATCH, settings=settings, cost=partial(cost, kept))  # fmt: skip


def _trace_of(method: str, traces: Traces, size: float) -> tuple[float, ...]:
    if one_of("method", method, tuple(METHODS)) not in traces:
        raise ArgumentError(
            f"there is no trace of the method {method!r} with {size:g} million parameters; record the latencies anew."
        )
    return tuple(float(seconds) for seconds in traces[method])


def usual_slowdowns(traces: Traces) -> list[float]:
    """1, and the slowdowns at which the fastest method's median latency is the ticks of `DELAYS_OF_FASTEST`."""
    fastest = min(float(np.median(trace)) for trace in traces.values())
    return sorted({1.0, *(float(f"{delay * CONTROL_DT / fastest:.2g}") for delay in DELAYS_OF_FASTEST)})


def play(policies: str, traces: SizedTraces, cell: ChargedCell, episodes: tuple[int, ...], seed: int) -> list[Row]:
    """The rows of some episodes of a cell.

    A new inference starts as soon as the last one is there; a synchronous robot executes as many rows as it waited
    ticks, as in RTC's protocol. Requests expect the longest of the last ten delays.
    """
    latency = Trace([seconds * cell.slowdown for seconds in traces[cell.size][cell.method]])
    mean = ticks(latency.mean(), CONTROL_DT)
    planned = min(mean, PREDICTION_HORIZON // 2)
    chunks = {"latency": latency, "execution_horizon": execution_horizon(mean), "delay_estimate": "max"}
    with warnings.catch_warnings():
        for kind in (StaleChunkWarning, UnderrunWarning):  # how slow is too slow is what the study asks
            warnings.simplefilter("ignore", kind)
        return play_method(cell.task, cell.method, episodes, seed, policies, planned, **chunks)


def execution_horizon(mean_delay: int) -> int:
    """As many ticks as an inference takes in the mean, at least one and at most a chunk."""
    return min(max(1, mean_delay), PREDICTION_HORIZON)


def cost(traces: SizedTraces, cell: ChargedCell) -> float:
    """How long an episode of the cell takes, compared to the others."""
    seconds = cell.slowdown * float(np.mean(traces[cell.size][cell.method]))
    return tick_cost(METHODS[cell.method], execution_horizon(ticks(seconds, CONTROL_DT)))
