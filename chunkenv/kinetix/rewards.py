"""The rewards of a Kinetix level, of one environment or of many at once.

They are those of kinetix-env 3.0.2 (Copyright (c) 2024 Michael Matthews) and of real-time-chunking-kinetix (Copyright
(c) 2025 Physical Intelligence), both MIT: see THIRD_PARTY_NOTICES.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chunkenv.kinetix.engine.kernels import Tick
from chunkenv.registration import TIME_LIMIT

DISTANCE_SCALE = 0.1  # kinetix-env 3.0.2, `dense_reward_scale`
PENALTY_SCALE = 1 / 6 / TIME_LIMIT  # real-time-chunking-kinetix, `DenseRewardWrapper`


class Ticks(NamedTuple):
    """Ticks of N environments, each float64[N, T] or bool[N, T]: see `kernels.Tick`, of one."""

    reward: np.ndarray
    distance: np.ndarray
    last_distance: np.ndarray
    ticks: np.ndarray
    ended: np.ndarray


Choice = Callable[[Any, Any, Any], Any]
"""choice(condition, then, otherwise): `numpy.where`, or `choose` for numbers."""


def choose(condition: bool, then: float, otherwise: float) -> float:
    """`numpy.where` for numbers."""
    return then if condition else otherwise


def sparse_reward(tick: Tick | Ticks, choice: Choice = np.where) -> Any:
    """1 where green touches blue, -1 where green touches red, else 0."""
    return tick.reward


def distance_reward(tick: Tick | Ticks, choice: Choice = np.where) -> Any:
    """The sparse one, and a part of the way that green came nearer to blue; the first tick has no last distance."""
    approach = choice(tick.last_distance < 0, 0.0, tick.last_distance - tick.distance)
    return tick.reward + DISTANCE_SCALE * approach


def penalty_reward(tick: Tick | Ticks, choice: Choice = np.where) -> Any:
    """The sparse one, less a part of the distance; a failure is charged with all ticks that were left."""
    charged_ticks = choice(tick.ended, TIME_LIMIT - tick.ticks + 1, 1)
    return choice(tick.reward > 0, tick.reward, tick.reward - charged_ticks * tick.distance * PENALTY_SCALE)


REWARDS = {"sparse": sparse_reward, "distance": distance_reward, "penalty": penalty_reward}
"""The rewards by the names that environments take."""
