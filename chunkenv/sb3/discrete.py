"""Chunks of discrete actions in the forms that Stable-Baselines3 knows: choices counted from zero, or one number."""

from __future__ import annotations

import math
from typing import Any, SupportsInt

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.utils.types import Action, AnyEnv, AnySpace, Observation
from chunkenv.wrappers import DecisionSpace
from chunkenv.wrappers.flat_decisions import FlatDecisions

LARGEST = 4096
"""The most chunks for an algorithm with one value per action, such as DQN."""


def is_discrete(chunks: AnySpace) -> bool:
    """Whether chunks are made of choices: MultiDiscrete, or the Box of whole numbers that Gymnasium stacks those to."""
    if isinstance(chunks, DecisionSpace):
        return is_discrete(chunks["chunk"])
    return isinstance(chunks, spaces.MultiDiscrete) or _is_whole_box(chunks)


class Choices(spaces.MultiDiscrete):
    """Choices as Stable-Baselines3 knows them: flat, each counted from zero. A saved model keeps what they stand for.

    Args:
        first: the smallest value of each choice, in the layout of what the choices stand for.
        counts: how many values each choice has, in the same layout.

    Attributes:
        first: the values that zeros stand for.

    >>> Choices(np.array([[5, 7]]), np.array([[3, 2]])).values(np.array([2, 0]))
    array([[7, 7]])
    """

    def __init__(self, first: np.ndarray, counts: np.ndarray) -> None:
        super().__init__(counts.ravel())
        self.first = first

    def values(self, choices: np.ndarray) -> np.ndarray:
        """What flat choices stand for."""
        return np.reshape(choices, self.first.shape) + self.first

    def choices(self, values: np.ndarray) -> np.ndarray:
        """The flat choices that stand for values."""
        return np.ravel(values - self.first)

    def __repr__(self) -> str:
        """What Stable-Baselines3 quotes when an algorithm, such as DQN, knows no MultiDiscrete."""
        return f"{super().__repr__()} (for one Discrete number: make_sb3_env(..., numbered=True))"


class FlatChoices(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Takes a flat MultiDiscrete, row after row, each choice counted from zero as Stable-Baselines3 does.

    Args:
        env: an environment of chunks of discrete actions, such as `ChunkedExecution`.

    Raises:
        ArgumentError: if its actions are not discrete.

    >>> from chunkenv.wrappers import ChunkedExecution
    >>> FlatChoices(ChunkedExecution(gym.make("CartPole-v1"), prediction_horizon=3)).action_space.nvec
    array([2, 2, 2])
    """

    def __init__(self, env: AnyEnv) -> None:
        self._flat = FlatDecisions(env.action_space) if isinstance(env.action_space, DecisionSpace) else None
        self._choices = Choices(*_read_choices(self._flat.space if self._flat else env.action_space))
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = self._choices

    def action(self, action: np.ndarray) -> Action:
        """The chunk of a flat vector of choices."""
        values = self._choices.values(action)
        return self._flat.nest(values) if self._flat else values


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
        self._flat = FlatDecisions(env.action_space) if isinstance(env.action_space, DecisionSpace) else None
        self._choices = Choices(*_read_choices(self._flat.space if self._flat else env.action_space))
        self._counts = self._choices.nvec.tolist()
        if (number := math.prod(self._counts)) > LARGEST:
            raise ArgumentError(
                f"there are {number} chunks of {env.action_space}, too many to number; choose a shorter "
                f"prediction_horizon (at most {LARGEST} chunks), or an algorithm that takes flat chunks, such as PPO."
            )
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = spaces.Discrete(number)

    def action(self, action: SupportsInt) -> Action:
        """The chunk of a number."""
        values = self._choices.values(np.array(np.unravel_index(int(action), self._counts)))
        return self._flat.nest(values) if self._flat else values


class ChoicesSeen(gym.ObservationWrapper, gym.utils.RecordConstructorArgs):
    """Counts discrete observations from zero, as Stable-Baselines3 does; others stay what they are.

    Args:
        env: any Gymnasium environment; of a Dict, the parts are counted.

    >>> from gymnasium.wrappers import TransformObservation
    >>> env = TransformObservation(gym.make("CartPole-v1"), lambda seen: 5, spaces.Discrete(3, start=5))
    >>> ChoicesSeen(env).reset(seed=0)[0]
    array([0])
    """

    def __init__(self, env: AnyEnv) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        self.observation_space = _count_from_zero(env.observation_space)

    def observation(self, observation: Observation) -> Observation:
        """The observation with its choices counted from zero."""
        return count_seen(self.observation_space, observation)


def count_seen(space: AnySpace, observation: Observation) -> Observation:
    """An environment's observation as `space`, one that counts from zero, has it."""
    if isinstance(space, spaces.Dict):
        return {key: count_seen(part, observation[key]) for key, part in space.spaces.items()}
    return space.choices(observation) if isinstance(space, Choices) else observation


def counts_from_zero(space: AnySpace) -> bool:
    """Whether a space, or each part of a Dict, counts from zero, as far as it counts.

    >>> counts_from_zero(spaces.Discrete(3, start=1))
    False
    """
    if isinstance(space, spaces.Dict):
        return all(map(counts_from_zero, space.spaces.values()))
    return not (isinstance(space, spaces.Discrete | spaces.MultiDiscrete) and np.any(space.start))


def _count_from_zero(space: AnySpace) -> AnySpace:
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: _count_from_zero(part) for key, part in space.spaces.items()})
    if counts_from_zero(space):
        return space
    counts: Any = space.n if isinstance(space, spaces.Discrete) else space.nvec  # pyright: ignore
    return Choices(np.asarray(space.start), np.asarray(counts))  # pyright: ignore


def _read_choices(chunks: AnySpace) -> tuple[np.ndarray, np.ndarray]:
    """The smallest value of each choice, and how many values it has, in the layout of a chunk."""
    if isinstance(chunks, spaces.MultiDiscrete):
        return chunks.start, chunks.nvec
    if isinstance(chunks, spaces.Box) and _is_whole_box(chunks):
        return chunks.low, chunks.high.astype(np.int64) - chunks.low + 1  # as many as 256 are no uint8
    raise ArgumentError(f"chunks of {chunks} are not made of discrete actions; use FlattenChunk.")


def _is_whole_box(chunks: AnySpace) -> bool:
    return isinstance(chunks, spaces.Box) and np.dtype(chunks.dtype).kind in "iu"
