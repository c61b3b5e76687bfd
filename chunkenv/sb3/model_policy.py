"""A trained model as a policy of this package, for `chunkenv.evaluate`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm

from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.sb3.discrete import Choices, count_seen
from chunkenv.utils.types import Observation


class ModelPolicy:
    """What `chunkenv.evaluate` plays: the model's deterministic action as a chunk.

    The environment to evaluate on is a `ChunkedExecution` whose observation is the one that the model was trained on
    (`observe_prefix`); its observations are normalised as the model's own environment does it (`VecNormalize`).

    Args:
        model: of Stable-Baselines3, with flat chunks. Discrete actions and observations count from zero for it, from
            their own start for the environment. A recurrent one starts anew with each episode.

    Raises:
        ArgumentError: for a model of numbered chunks.

    >>> import chunkenv, gymnasium
    >>> from chunkenv.sb3 import chunk_ppo, make_sb3_env
    >>> model = chunk_ppo(make_sb3_env("CartPole-v1", prediction_horizon=2), device="cpu", seed=0)
    >>> make_env = lambda: chunkenv.ChunkedExecution(gymnasium.make("CartPole-v1"), 2)
    >>> [row["success"] for row in chunkenv.evaluate(make_env, ModelPolicy(model), episodes=2, seed=0)]
    [None, None]
    """

    def __init__(self, model: BaseAlgorithm) -> None:
        if isinstance(model.action_space, spaces.Discrete):
            raise ArgumentError("a model of numbered chunks has no rows to read; train it on flat chunks (PPO, A2C).")
        self._model = model
        self._normalise = model.get_vec_normalize_env()
        self._memory: Any = None

    def infer(self, observation: Observation, request: Request) -> np.ndarray:
        """The chunk for a request."""
        seen = count_seen(self._model.observation_space, observation)
        if self._normalise is not None:
            seen = self._normalise.normalize_obs(seen)
        first = request.tick == 0
        memory = None if first else self._memory
        flat, self._memory = self._model.predict(seen, memory, np.array([first]), deterministic=True)
        if isinstance(self._model.action_space, Choices):
            return self._model.action_space.values(flat)
        return np.reshape(flat, (-1, *np.shape(request.left_over)[1:]))
