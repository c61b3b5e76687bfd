"""Chunks in one dimension, for agents that know no other."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.errors import ActionError
from chunkenv.utils.checks import expect_env
from chunkenv.utils.types import Action, AnyEnv
from chunkenv.wrappers.flat_decisions import FlatDecisions


class FlattenChunk(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Takes a chunk of Box, Discrete or MultiDiscrete actions as one flat vector, row after row.

    Where the agent chooses more than the chunk, that follows: one more coordinate, or choice; see `FlatDecisions`.

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
        self._flat = FlatDecisions(env.action_space)
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = self._flat.space

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickles of earlier versions knew chunks alone."""
        self.__dict__.update(state)
        if "_flat" not in state:
            self._flat = FlatDecisions(self.env.action_space)

    def action(self, action: Action) -> Action:
        """The chunk of a flat vector.

        Raises:
            ActionError: if it is not a vector of the right length.
        """
        if np.shape(action) != self.action_space.shape:
            raise ActionError(f"the flat chunk has shape {np.shape(action)}; expected {self.action_space.shape}.")
        return self._flat.nest(np.asarray(action))
