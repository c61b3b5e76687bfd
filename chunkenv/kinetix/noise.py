"""Gaussian noise on the actions of many environments, each from a random stream of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.utils.seeding import Stream

AHEAD = 256
"""Ticks whose noise is drawn at once: one call of a generator for each tick would cost more than the engine."""


class ActionNoises:
    """What `chunkenv.ActionNoise` adds around environment i, to the bit, for N environments.

    Args:
        std: standard deviation in units of the action, at least 0.
        num_envs: N.

    >>> noises = ActionNoises(0.1, num_envs=2)
    >>> noises.begin(np.array([True, True]), [0, 1])
    >>> noises.add_to(np.zeros((2, 3, 6), np.float32)).shape
    (2, 3, 6)
    """

    def __init__(self, std: float, num_envs: int) -> None:
        self._std = std
        self._streams = [Stream("action_noise") for _ in range(num_envs)]
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._drawn = np.zeros((num_envs, AHEAD, N_ACTIONS))
        self._spent = np.full(num_envs, AHEAD)

    def begin(self, members: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Start episodes in some environments (bool[N]); without a seed, a stream goes on where it was."""
        for index in np.flatnonzero(members).tolist():
            generator = self._streams[index].begin(seeds[index])
            if generator is not self._generators[index]:
                self._generators[index] = generator
                self._spent[index] = self._drawn.shape[1]

    def add_to(self, actions: np.ndarray) -> np.ndarray:
        """Actions float32[N, T, 6] of the next ticks with their noise; `spend` says how many were played."""
        count = actions.shape[1]
        for index in np.flatnonzero(self._spent + count > self._drawn.shape[1]).tolist():
            self._draw(index, count)
        rows = self._spent[:, None] + np.arange(count)
        noise = self._drawn[np.arange(len(rows))[:, None], rows]
        return (actions + self._std * noise).astype(np.float32)

    def spend(self, ticks: np.ndarray) -> None:
        """Go on by the ticks played, int64[N]."""
        self._spent += ticks

    def _draw(self, index: int, count: int) -> None:
        """Move what is left to the front, and draw the rest behind it."""
        generator = self._generators[index]
        if generator is None:  # never begun: not played either
            self._spent[index] = 0
            return
        if count > self._drawn.shape[1]:
            self._enlarge(count)
        left = self._drawn[index, self._spent[index] :].copy()
        self._drawn[index, : len(left)] = left
        self._drawn[index, len(left) :] = generator.standard_normal((self._drawn.shape[1] - len(left), N_ACTIONS))
        self._spent[index] = 0

    def _enlarge(self, count: int) -> None:
        """Make room for more ticks; what is left stays at the end of the rows."""
        more = np.zeros((len(self._drawn), count - self._drawn.shape[1], N_ACTIONS))
        self._drawn = np.concatenate([more, self._drawn], axis=1)
        self._spent += more.shape[1]
