"""The rewards of a Kinetix level, of one environment or of many at once.

They are those of kinetix-env 3.0.2 (Copyright (c) 2024 Michael Matthews) and of real-time-chunking-kinetix (Copyright
(c) 2025 Physical Intelligence), both MIT: see THIRD_PARTY_NOTICES.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chunkenv.kinetix.engine.kernels import Tick
from chunkenv.kinetix.engine.level_simulator import PlayedChunks
from chunkenv.registration import TIME_LIMIT

DISTANCE_SCALE = 0.1  # kinetix-env 3.0.2, `dense_reward_scale`
PENALTY_SCALE = 1 / 6 / TIME_LIMIT  # real-time-chunking-kinetix, `DenseRewardWrapper`


class Ticks:
    """Ticks of N environments, in columns [N, T]: see `kernels.Tick`, of one. A reward works out those that it uses.

    Args:
        played: what came of the ticks.
        distance_before: float32[N], before the first of them.
        ticks_before: int64[N], how many had been played in each episode.
    """

    def __init__(self, played: PlayedChunks, distance_before: np.ndarray, ticks_before: np.ndarray) -> None:
        self._played, self._distance_before, self._ticks_before = played, distance_before, ticks_before

    @property
    def reward(self) -> np.ndarray:
        """The sparse rewards, float64[N, T]."""
        return self._played.rewards.astype(np.float64)

    @property
    def distance(self) -> np.ndarray:
        """The distances after each tick, float64[N, T]."""
        return self._played.distances.astype(np.float64)

    @property
    def last_distance(self) -> np.ndarray:
        """The distances before each tick, float64[N, T]."""
        return np.column_stack([self._distance_before, self.distance[:, :-1]])

    @property
    def ticks(self) -> np.ndarray:
        """How many ticks of the episode were played with each, int64[N, T]."""
        return self._ticks_before[:, None] + 1 + self._numbers

    @property
    def ended(self) -> np.ndarray:
        """With which tick an episode terminated, bool[N, T]; beyond the ticks played it says nothing."""
        return self._numbers == self._played.ends[:, None]

    @property
    def _numbers(self) -> np.ndarray:
        return np.arange(self._played.rewards.shape[1])


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
