"""Chunks of discrete actions in the forms that Stable-Baselines3 knows: choices counted from zero, or one number."""

from __future__ import annotations

import math
from typing import SupportsInt

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.utils.types import AnyEnv, AnySpace

LARGEST = 4096
"""The most chunks for an algorithm with one value per action, such as DQN."""


def is_discrete(chunks: AnySpace) -> bool:
    """Whether chunks are made of choices: MultiDiscrete, or the Box of whole numbers that Gymnasium stacks those to."""
    return isinstance(chunks, spaces.MultiDiscrete) or _is_whole_box(chunks)


class FlatChoices(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Takes a flat MultiDiscrete, row after row, each choice counted from zero as Stable-Baselines3 does.

    Args:
        env: an environment of chunks of discrete actions, such as `ChunkedExecution`.

    Raises:
        ArgumentError: if its actions are not discrete.

    >>> from chunkenv.wrappers import ChunkedExecution
    >>> FlatChoices(ChunkedExecution(gym.make("CartPole-v1"), prediction_horizon=3)).action_space
    MultiDiscrete([2 2 2])
    """

    def __init__(self, env: AnyEnv) -> None:
        self._low, counts = _read_choices(env.action_space)
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = spaces.MultiDiscrete(counts.ravel())

    def action(self, action: np.ndarray) -> np.ndarray:
        """The chunk of a flat vector of choices."""
        return np.reshape(action, self._low.shape) + self._low


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

    def __init__(self, env: AnyEnv) -> None:
        self._low, counts = _read_choices(env.action_space)
        self._counts = counts.ravel().tolist()
        if (number := math.prod(self._counts)) > LARGEST:
            raise ArgumentError(
                f"there are {number} chunks of {env.action_space}, too many to number; choose a shorter "
                f"prediction_horizon (at most {LARGEST} chunks), or an algorithm that takes flat chunks, such as PPO."
            )
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = spaces.Discrete(number)

    def action(self, action: SupportsInt) -> np.ndarray:
        """The chunk of a number."""
        return np.reshape(np.unravel_index(int(action), self._counts), self._low.shape) + self._low


def _read_choices(chunks: AnySpace) -> tuple[np.ndarray, np.ndarray]:
    """The smallest value of each choice, and how many values it has, in the layout of a chunk."""
    if isinstance(chunks, spaces.MultiDiscrete):
        return chunks.start, chunks.nvec
    if isinstance(chunks, spaces.Box) and _is_whole_box(chunks):
        return chunks.low, chunks.high - chunks.low + 1
    raise ArgumentError(f"chunks of {chunks} are not made of discrete actions; use FlattenChunk.")


def _is_whole_box(chunks: AnySpace) -> bool:
    return isinstance(chunks, spaces.Box) and np.dtype(chunks.dtype).kind in "iu"
