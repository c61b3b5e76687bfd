"""Delays that vary: the methods of Real-Time Chunking's study under random, bursty and recorded latency.

All latencies have the same mean delays, so that what is compared is their shape. Every method plans twice: with the
delay that is expected, and with the largest. What is planned is the delay that its requests expect, which says how long
a prefix is, and the execution horizon s = max(1, d).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

from chunkenv.bench.studies.latency_shapes import (
    RECORDED,
    SHAPES,
    DelayPlan,
    Recordings,
    draw_delays,
    latency_of,
    plans_for,
)
from chunkenv.bench.studies.measured_latency import CONTROL_DT
from chunkenv.bench.studies.methods import METHODS, SLOTS, play_method, tick_cost
from chunkenv.bench.studies.policy_families import family_identity, settled_family
from chunkenv.bench.studies.rtc_study import PAPERS_METHODS
from chunkenv.bench.study import Study
from chunkenv.errors import ArgumentError, StaleChunkWarning, UnderrunWarning
from chunkenv.evaluate import Row
from chunkenv.latency import Latency
from chunkenv.registration import ACTION_NOISE, LEVELS, POLICIES, read_task
from chunkenv.utils.checks import one_of

NAME = "latency"
EPISODES = 128
QUICK_EPISODES = 32
BATCH = 256
MEAN_DELAYS = (1, 2, 3)
QUICK_MEAN_DELAYS = (2,)
PLANS = ("expected", "largest")


@dataclass(frozen=True)
class LatencyCell:
    """One setting, played for some episodes.

    Attributes:
        task: name of a Kinetix level.
        method: one of `METHODS`.
        latency: its shape, one of `SHAPES`.
        mean_delay: in ticks.
        plans_with: the delay that the method plans with, one of `PLANS`.
    """

    task: str
    method: str
    latency: str
    mean_delay: int
    plans_with: str

    def __str__(self) -> str:
        return (
            f"{self.task}, {self.method}, {self.latency} latency of {self.mean_delay} ticks, planned with the "
            f"{self.plans_with}"
        )


def latency_study(
    recordings: Recordings,
    tasks: Sequence[str] = LEVELS,
    methods: Sequence[str] = PAPERS_METHODS,
    latencies: Sequence[str] = SHAPES,
    mean_delays: Sequence[int] = MEAN_DELAYS,
    episodes: int = EPISODES,
    seed: int = 0,
    policies: str = POLICIES,
) -> Study:
    """The study over every combination of the settings given; a constant latency is planned for in one way only.

    Args:
        recordings: seconds of the shapes that are replayed.
        tasks: names or ids of Kinetix levels.
        methods: of `METHODS`.
        latencies: of `SHAPES`.
        mean_delays: in ticks, at least 1.
        episodes: of each cell.
        seed: of the study.
        policies: "published", "smooth", or a folder of flow policies.

    Raises:
        ArgumentError: an unknown name or family, a number that is invalid, a setting given twice, or a latency that
            needs a recording and has none.

    >>> len(latency_study({}, ["catapult"], ["rtc"], ["constant", "bursty"]).cells)
    9
    """
    tasks = [read_task(task, "Kinetix level").level for task in tasks]
    for method in methods:
        one_of("method", method, tuple(METHODS))
    for latency in latencies:
        if one_of("latency", latency, SHAPES) in RECORDED and latency not in recordings:
            raise ArgumentError(f"there is no recording for latency={latency!r}; give one, or leave that latency out.")
    grid = itertools.product(tasks, methods, latencies, mean_delays, PLANS)
    kept = {name: tuple(float(each) for each in recordings[name]) for name in RECORDED if name in latencies}
    for latency, mean_delay in itertools.product(latencies, mean_delays):
        latency_of(latency, mean_delay, kept)  # refuses what is invalid, before anything is played
    return Study(
        NAME,
        tuple(LatencyCell(*setting) for setting in grid if setting[2] != "constant" or setting[4] == PLANS[0]),
        play=partial(play, settled_family(policies), kept),
        episodes=episodes,
        seed=seed,
        batch=BATCH,
        settings={
            "action_noise": ACTION_NOISE,
            "slots": SLOTS,
            "control_dt": CONTROL_DT,
            "policies": family_identity(policies),
            "recordings": kept,
        },
        cost=cost,
    )


def play(policies: str, recordings: Recordings, cell: LatencyCell, episodes: tuple[int, ...], seed: int) -> list[Row]:
    """The rows of some episodes of a cell.

    The k-th inference of an episode takes as long for every method: latencies have a random stream of their own.
    """
    latency, plans = planned(cell.latency, cell.mean_delay, tuple(recordings.get(cell.latency, ())))
    plan = plans[cell.plans_with]
    chunks = {"latency": latency, "execution_horizon": max(1, plan.delay), "delay_estimate": plan.delay_estimate}
    with warnings.catch_warnings():
        for kind in (StaleChunkWarning, UnderrunWarning):  # what too late costs is what the study asks
            warnings.simplefilter("ignore", kind)
        return play_method(cell.task, cell.method, episodes, seed, policies, plan.delay, **chunks)


@cache
def planned(shape: str, mean_delay: int, recording: tuple[float, ...] = ()) -> tuple[Latency, dict[str, DelayPlan]]:
    """A latency, and what methods that plan in either way expect of it."""
    latency = latency_of(shape, mean_delay, {shape: recording})
    return latency, plans_for(draw_delays(latency))


def cost(cell: LatencyCell) -> float:
    """How long an episode of the cell takes, compared to the others: inferences, and a little for the ticks."""
    return tick_cost(METHODS[cell.method], cell.mean_delay)
