"""Real-Time Chunking's study: the twelve dynamic Kinetix tasks under inference delay, by execution method.

The protocol is that of Black et al. 2025 (arXiv 2506.07339): prediction horizon 8, delays d from 0 to 4 ticks,
execution horizons s from max(1, d) to 8 - d, Gaussian action noise of .1, five Euler steps, the first chunk free.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial

from chunkenv.bench.studies.methods import METHODS, PREDICTION_HORIZON, SLOTS, Method, play_method, tick_cost
from chunkenv.bench.studies.own_methods import files_of
from chunkenv.bench.studies.policy_families import family_identity, settled_family
from chunkenv.bench.studies.schedules import check_schedule
from chunkenv.bench.study import Cell, Study
from chunkenv.evaluate import Row
from chunkenv.registration import ACTION_NOISE, LEVELS, POLICIES, read_task
from chunkenv.utils.checks import one_of

NAME = "rtc"
PAPERS_METHODS = ("naive", "synchronous", "ensembling", "bid", "rtc", "hard-masking", "training-time-rtc")
"""Those of the paper's comparison, and its successor."""
FULL_METHODS = ("naive", "bid", "rtc", "training-time-rtc")
EPISODES = 256
FULL_EPISODES = 2048
QUICK_EPISODES = 32
BATCH = 256
DELAYS = (0, 1, 2, 3, 4)

Schedule = tuple[int, int]
"""Delay and execution horizon, in ticks."""

ALL = tuple((d, s) for d in DELAYS for s in range(max(1, d), PREDICTION_HORIZON - d + 1))
"""Every pair that leaves no tick without a row."""
BY_DELAY = tuple((d, max(1, d)) for d in DELAYS)
BY_HORIZON = tuple((1, s) for s in range(1, PREDICTION_HORIZON))
SWEEPS = tuple(dict.fromkeys(BY_DELAY + BY_HORIZON))
"""The pairs of the paper's two plots: by delay with s = max(1, d), and by execution horizon with d = 1."""
QUICK = (*BY_DELAY, (1, 7))
"""The same with the shortest and the longest horizon: every method within minutes."""


def rtc_study(
    tasks: Sequence[str] = LEVELS,
    methods: Sequence[str] = PAPERS_METHODS,
    schedules: Sequence[Schedule] = SWEEPS,
    episodes: int = EPISODES,
    seed: int = 0,
    policies: str = POLICIES,
    own: Mapping[str, Method] | None = None,
) -> Study:
    """The study over every combination of the settings given.

    Args:
        tasks: names or ids of Kinetix levels.
        methods: of `METHODS`.
        schedules: pairs of delay and execution horizon.
        episodes: of each cell.
        seed: of the study.
        policies: "published", "smooth", or a folder of flow policies.
        own: further methods by name (see `own_methods`), played after the others.

    Raises:
        ArgumentError: an unknown name or family, a setting given twice, or a delay that leaves ticks without a row
            (delay <= execution horizon <= 8 - delay must hold).

    >>> len(ALL), len(SWEEPS), len(rtc_study(tasks=["catapult"], methods=["rtc"]).cells)
    (24, 11, 11)
    """
    tasks, own = [read_task(task, "Kinetix level").level for task in tasks], own or {}
    for method in methods:
        one_of("method", method, tuple(METHODS))
    for delay, horizon in schedules:
        check_schedule(delay, horizon, PREDICTION_HORIZON)
    grid = itertools.product(tasks, (*methods, *own), schedules)
    return Study(
        NAME,
        tuple(Cell(task, method, *schedule, PREDICTION_HORIZON) for task, method, schedule in grid),
        play=partial(play, settled_family(policies), own),
        episodes=episodes,
        seed=seed,
        batch=BATCH,
        settings={"action_noise": ACTION_NOISE, "slots": SLOTS, "policies": family_identity(policies)},
        cost=partial(cost, own),
        files=files_of(own),
    )


def play(policies: str, own: Mapping[str, Method], cell: Cell, episodes: tuple[int, ...], seed: int) -> list[Row]:
    """The rows of some episodes of a cell."""
    chunks = {"execution_horizon": cell.execution_horizon, "latency": cell.delay}
    return play_method(cell.task, own.get(cell.method, cell.method), episodes, seed, policies, **chunks)


def cost(own: Mapping[str, Method], cell: Cell) -> float:
    """How long an episode of the cell takes, compared to the others: inferences, and a little for the ticks."""
    return tick_cost(own.get(cell.method) or METHODS[cell.method], cell.execution_horizon)
