"""Chunks in one dimension, for agents that know no other."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ActionError, ArgumentError
from chunkenv.utils.checks import expect_env
from chunkenv.utils.types import Action, AnyEnv, AnySpace, is_box


class FlattenChunk(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Takes a chunk of Box, Discrete or MultiDiscrete actions as one flat vector, row after row.

    Args:
        env: an environment of chunks, such as `ChunkedExecution`.

    Raises:
        ArgumentError: if its action space is neither a Box nor a MultiDiscrete.

    >>> from chunkenv.wrappers import ChunkedExecution
    >>> env = FlattenChunk(ChunkedExecution(gym.make("Pendulum-v1"), prediction_horizon=4))
    >>> env.action_space
    Box(-2.0, 2.0, (4,), float32)
    """

    def __init__(self, env: AnyEnv) -> None:
        expect_env(env, "FlattenChunk")
        flat = _flat(env.action_space)
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = flat

    def action(self, action: Action) -> np.ndarray:
        """The chunk of a flat vector.

        Raises:
            ActionError: if it is not a vector of the right length.
        """
        if np.shape(action) != self.action_space.shape:
            raise ActionError(f"the flat chunk has shape {np.shape(action)}; expected {self.action_space.shape}.")
        return np.reshape(action, self.env.action_space.shape or ())


def _flat(chunks: AnySpace) -> AnySpace:
    if is_box(chunks):
        return spaces.Box(chunks.low.ravel(), chunks.high.ravel(), dtype=chunks.dtype)
    if isinstance(chunks, spaces.MultiDiscrete):
        return spaces.MultiDiscrete(chunks.nvec.ravel(), dtype=chunks.dtype, start=chunks.start.ravel())  # pyright: ignore
    raise ArgumentError(f"chunks of {chunks} have no flat form; FlattenChunk takes Box, Discrete and MultiDiscrete.")
