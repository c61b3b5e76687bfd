"""What a dataset of a manipulation task covers: which sub-goals held, and where the cubes were."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium as gym
import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.manipulation.engine.units import CENTER, CUBE_SCALE
from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.scene.goals import agreement, desired_objects, objects_of
from chunkenv.registration import read_task, task_of_level

AREA = ((0.25, 0.6), (-0.35, 0.35))
"""The part of the table that is mapped, in m: x, away from the robot, and y."""
CELL = 0.05
"""Metres of a cell of the map."""


class GoalCoverage(NamedTuple):
    """How often an object was as the task wants it: the share of ticks, and the episodes with such a tick."""

    name: str
    ticks: float
    episodes: int


def find_attempts(dataset: Dataset) -> np.ndarray:
    """The episodes that begin with something left to do, bool[E]: of which a solve rate speaks.

    Imports from ogbench end an episode with every success, so that each further tick in which the goal still holds is
    an episode of its own, and solved.

    Args:
        dataset: of a manipulation task.
    """
    family = _family(dataset)
    first = np.asarray(dataset.observations[dataset.episodes.start])
    held = agreement(family, objects_of(family, first), goal_of(dataset.info["level"]))
    return np.logical_not(held.all(axis=1))


def measure_coverage(dataset: Dataset) -> list[GoalCoverage]:
    """A line for each thing that the task wants, and one for all of them at once, by the observations.

    Args:
        dataset: of a manipulation task.
    """
    family, wanted = _family(dataset), goal_of(dataset.info["level"])
    held = agreement(family, objects_of(family, np.asarray(dataset.observations)), wanted)
    ends = agreement(family, objects_of(family, np.asarray(dataset.episodes.final_observation)), wanted)
    held, ends = (np.column_stack([of, of.all(axis=1)]) for of in (held, ends))
    ever = np.logical_or.reduceat(held, dataset.episodes.start) | ends
    ticks = (held.sum(axis=0) + ends.sum(axis=0)) / (len(held) + len(ends))
    return [GoalCoverage(*line) for line in zip(_names(family), ticks.tolist(), ever.sum(axis=0).tolist(), strict=True)]


def map_visits(dataset: Dataset) -> np.ndarray:
    """The share of ticks that any cube spent in each cell of the table, float64[rows by x, columns by y]."""
    family = _family(dataset)
    cubes = objects_of(family, np.asarray(dataset.observations))[:, : 3 * family.cubes].reshape(-1, 3)
    places = cubes / CUBE_SCALE + CENTER
    cells = [round((high - low) / CELL) for low, high in AREA]
    counts, _, _ = np.histogram2d(places[:, 0], places[:, 1], bins=cells, range=AREA)
    return counts / max(1, len(places))


def goal_of(level: str) -> np.ndarray:
    """The goal of a manipulation task for its objects, as `chunkenv.manipulation.scene.goals` has it."""
    env = gym.make(read_task(level, "manipulation task").id, disable_env_checker=True)
    env.reset(seed=0)
    return desired_objects(env.unwrapped.world)  # pyright: ignore[reportAttributeAccessIssue]


def _family(dataset: Dataset) -> Family:
    task = task_of_level(dataset.info.get("level"))
    assert task is not None
    assert task.family is not None
    return FAMILY[task.family]


def _names(family: Family) -> list[str]:
    slides = ["drawer", "window"][: family.slides]
    return [
        *(f"cube {index}" for index in range(family.cubes)),
        *(f"button {index}" for index in range(family.buttons)),
        *slides,
        "all at once",
    ]
