"""The delay study: how much of the twelve dynamic Kinetix tasks is solved when inference takes several ticks.

The protocol follows that of real-time chunking (Black et al. 2025): prediction horizon 8, delays 0 to 4, Gaussian
action noise of .1; the methods are two versions of one planner that differ in nothing but what they know of the prefix.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import gymnasium as gym

from chunkenv.bench.studies.schedules import check_schedule
from chunkenv.bench.study import Cell, Study
from chunkenv.evaluate import Policy
from chunkenv.registration import ACTION_NOISE, LEVELS, read_task
from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.types import AnyEnv
from chunkenv.wrappers import ActionNoise, ChunkedExecution

NAME = "delay"
TASKS = LEVELS
METHODS = ("prefix-aware", "naive")
DELAYS = (0, 1, 2, 3, 4)
EXECUTION_HORIZONS = (4,)
PREDICTION_HORIZON = 8
EPISODES = 10
QUICK_EPISODES = 6
COSTS = {
    "grasp_easy": 200,
    "catapult": 1600,
    "cartpole_thrust": 90,
    "hard_lunar_lander": 50,
    "mjc_half_cheetah": 480,
    "mjc_swimmer": 320,
    "mjc_walker": 570,
    "h17_unicycle": 130,
    "chain_lander": 220,
    "catcher_v3": 390,
    "trampoline": 470,
    "car_launch": 420,
}
"""Milliseconds that an episode took on one core of one machine: for the order of the work and the time left only."""


def delay_study(
    tasks: Sequence[str] = TASKS,
    methods: Sequence[str] = METHODS,
    delays: Sequence[int] = DELAYS,
    execution_horizons: Sequence[int] = EXECUTION_HORIZONS,
    prediction_horizon: int = PREDICTION_HORIZON,
    episodes: int = EPISODES,
    seed: int = 0,
) -> Study:
    """The study over every combination of the settings given.

    Args:
        tasks: names or ids of Kinetix levels.
        methods: of `METHODS`.
        delays: in ticks.
        execution_horizons: ticks between two requests.
        prediction_horizon: rows in a chunk.
        episodes: of each cell.
        seed: of the study.

    Raises:
        ArgumentError: an unknown name, a number that is invalid, a setting given twice, or a delay that leaves
            ticks without a row (delay <= execution_horizon <= prediction_horizon - delay must hold).

    >>> len(delay_study(tasks=["catapult"], delays=[0, 4]).cells)
    4
    """
    tasks = [read_task(task, "Kinetix level").level for task in tasks]
    for method in methods:
        one_of("method", method, METHODS)
    whole_number("prediction_horizon", prediction_horizon, at_least=1)
    for delay, horizon in itertools.product(delays, execution_horizons):
        check_schedule(delay, horizon, prediction_horizon)
    grid = itertools.product(tasks, methods, delays, execution_horizons)
    cells = tuple(Cell(*setting, prediction_horizon) for setting in grid)
    return Study(
        NAME,
        cells,
        make_env=make_env,
        make_policy=make_policy,
        episodes=episodes,
        seed=seed,
        settings={"action_noise": ACTION_NOISE},
        cost=cost,
    )


def make_env(cell: Cell) -> AnyEnv:
    """The cell's task with action noise, executed in chunks; it shows the engine's state, from which planners plan."""
    world = gym.make(f"chunkenv/kinetix-{cell.task}-v0", observation="state", disable_env_checker=True)
    noisy = ActionNoise(world, ACTION_NOISE)
    horizons = (cell.prediction_horizon, cell.execution_horizon)
    return ChunkedExecution(noisy, *horizons, latency=cell.delay, info="actions")


def make_policy(cell: Cell) -> Policy:
    """The cell's planner."""
    from chunkenv.agents.sampling_planner import Planner  # brings numba, which the list of settings can do without

    return Planner(cell.task, cell.prediction_horizon, prefix_aware=cell.method == "prefix-aware")


def cost(cell: Cell) -> float:
    """How long an episode of the cell takes, compared to the others."""
    return COSTS[cell.task]
