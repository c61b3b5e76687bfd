"""The engine as a model of the world: it predicts from its own state, so it is right but for the noise to come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.engine.simulator import Simulator


class EngineModel:
    """Plays actions from the states of the engine, without noise, and returns compact observations.

    It is for environments made with `observation="state"`, and no robot has such a model: what is reached with it is an
    upper bound. Many rows are one call into the engine; an episode that ends on the way stays at its end.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        threads: at most how many to use; what comes out does not depend on it.

    Raises:
        ArgumentError: an unknown level.

    >>> model = EngineModel("catapult")
    >>> states = model.simulator.initial_state()[None]
    >>> model.predict(states, np.zeros((1, 8, 6), np.float32), np.array([2])).shape
    (1, 35)
    """

    def __init__(self, level: str, threads: int = 1) -> None:
        self.simulator, self._threads = Simulator(level), threads

    def predict(self, observations: np.ndarray, prefix: np.ndarray, prefix_length: NDArray[np.int64]) -> np.ndarray:
        """The compact observations, float32[N, 7 n], after so many ticks of each prefix; the states stay as they are.

        Args:
            observations: states of the level, uint8[N, n].
            prefix: float[N, T, 6].
            prefix_length: int64[N], from 0 to T.

        Raises:
            ArgumentError: the observations are no states of this level, or the lengths do not fit.
            ActionError: an action that would be played is not finite.
        """
        if np.asarray(observations).dtype != np.uint8:
            raise ArgumentError(
                f"The engine predicts from its states, but was given {np.asarray(observations).dtype} observations; "
                "make the environment with observation='state'."
            )
        states = np.array(observations, order="C")
        if not np.shape(prefix)[1]:
            prefix = np.zeros((len(states), 1, N_ACTIONS), np.float32)
        played = self.simulator.play(states, prefix, prefix_length, observation="compact", threads=self._threads)
        assert played.observations is not None
        return played.observations
