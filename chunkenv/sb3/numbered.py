"""Chunks of discrete actions by number, for algorithms that know only one Discrete action."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ArgumentError

LARGEST = 4096
"""Chunks that an algorithm with one value per action, such as DQN, can still tell apart."""


class NumberedChunk(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Takes a number for each possible chunk: the last row counts fastest, as the digits of a number.

    Args:
        env: an environment of chunks of discrete actions, such as `ChunkedExecution`.

    Raises:
        ArgumentError: if its actions are not discrete, or if there are more than 4,096 chunks.

    >>> from chunkenv.wrappers import ChunkedExecution
    >>> env = NumberedChunk(ChunkedExecution(gym.make("CartPole-v1"), prediction_horizon=3))
    >>> env.action_space, env.action(6)
    (Discrete(8), array([1, 1, 0]))
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        chunks = _discrete(env.action_space)
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self._chunks = chunks
        self.action_space = spaces.Discrete(math.prod(chunks.nvec.ravel().tolist()))

    def action(self, action: Any) -> np.ndarray:
        """The chunk of a number."""
        digits = np.unravel_index(int(action), self._chunks.nvec.ravel())
        return np.reshape(np.array(digits, self._chunks.dtype), self._chunks.nvec.shape) + self._chunks.start


def _discrete(chunks: spaces.Space[Any]) -> spaces.MultiDiscrete:
    if not isinstance(chunks, spaces.MultiDiscrete):
        raise ArgumentError(f"chunks of {chunks} cannot be numbered; only those of discrete actions can.")
    if (count := math.prod(chunks.nvec.ravel().tolist())) > LARGEST:
        raise ArgumentError(
            f"there are {count} chunks of {chunks}, too many to number; choose a shorter prediction_horizon "
            f"(at most {LARGEST} chunks), or an algorithm that takes flat chunks, such as PPO."
        )
    return chunks
