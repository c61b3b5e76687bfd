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
from chunkenv.wrappers.flat_decisions import choice_of


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
        self._decided: np.ndarray | None = None  # by `budget`, for the `infer` after it

    def budget(self, observation: Observation, request: Request) -> int:
        """How many ticks it will think, one of `request.delays`: the model decides it together with the chunk."""
        self._decided = self._decide(observation, request)
        delays = request.delays or (0,)
        # Beside the horizon, if there is one, the delay stands first.
        place = -2 if request.horizons else -1
        return delays[self._choose(self._decided[place], spaces.Discrete(len(delays)))]

    def infer(self, observation: Observation, request: Request) -> Any:
        """The chunk for a request; `(chunk, horizon)` where the model chooses that, too."""
        decided = self._decide(observation, request) if self._decided is None else self._decided
        self._decided = None
        size = len(decided) - (request.horizons is not None) - (request.delays is not None)
        chunk = np.reshape(decided[:size], (-1, *np.shape(request.left_over)[1:]))
        if request.horizons is None:
            return chunk
        low, high = request.horizons
        return chunk, self._choose(decided[-1], spaces.Discrete(high - low + 1, start=low))

    def _decide(self, observation: Observation, request: Request) -> np.ndarray:
        """The model's flat action; choices as the environment counts them."""
        seen = count_seen(self._model.observation_space, observation)
        if self._normalise is not None:
            seen = self._normalise.normalize_obs(seen)
        first = request.tick == 0
        memory = None if first else self._memory
        flat, self._memory = self._model.predict(seen, memory, np.array([first]), deterministic=True)
        space = self._model.action_space
        return np.ravel(space.values(flat) if isinstance(space, Choices) else flat)

    def _choose(self, entry: Any, choices: spaces.Discrete) -> int:
        return int(choice_of(entry, choices, binned=not isinstance(self._model.action_space, Choices)))
