"""The last actions and an age put into the observation: what a delayed decision process lacks to be Markov."""

from __future__ import annotations

from collections import deque

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number
from chunkenv.utils.spaces import clip
from chunkenv.utils.types import Action, AnySpace, Observation, is_box
from chunkenv.wrappers.dict_observation import DictObservation

LONGEST_AGE = 2.0**24
"""The bound of an age in an observation: finite, because checkers warn of infinity; float32 is whole up to it."""


def history_length(observe: bool | int, constant_delay: int | None) -> int:
    """How many actions `observe` asks for: 0 for False, the (constant) delay for True, at least one.

    Raises:
        ArgumentError: for a number below 1, or True with a delay that varies.
    """
    if observe is False:
        return 0
    if observe is not True:
        return whole_number("observe", observe, at_least=1)
    if constant_delay is None:
        raise ArgumentError(
            "observe=True needs a constant delay to know how many actions that is; "
            "give their number, such as the longest delay in ticks."
        )
    return max(constant_delay, 1)


class ActionHistory:
    """An observation with the last actions and an age, in a Dict of fixed shape.

    The Dict has the keys 'observation' (or, if the observation is a Dict, that one's own keys), `actions_key` (the last
    `length` actions, oldest first, within the bounds of their space; one flat row for a Box) and `age_key` (ticks,
    float32 [1]).

    Args:
        observation_space: the wrapped environment's.
        action_space: the wrapped environment's.
        length: number of actions.
        filling: the action that stands where fewer have been sent.
        actions_key: the name of the actions in the Dict.
        age_key: the name of the age in the Dict.

    Raises:
        ArgumentError: if a Dict observation already has one of the keys.
    """

    def __init__(
        self,
        observation_space: AnySpace,
        action_space: AnySpace,
        length: int,
        filling: Action,
        actions_key: str,
        age_key: str,
    ) -> None:
        self._actions_key, self._age_key = actions_key, age_key
        self._action_space, self._filling = action_space, filling
        self._actions: deque[Action] = deque([filling] * length, maxlen=length)
        added: dict[str, AnySpace] = {
            actions_key: _history_space(action_space, length),
            age_key: spaces.Box(-1.0, LONGEST_AGE, (1,), np.float32),
        }
        self._parts = DictObservation(observation_space, added, option="observe")
        self.space = self._parts.space

    def clear(self) -> None:
        """Start an episode: as if the filling had been sent all along."""
        self._actions.extend([self._filling] * len(self._actions))

    def append(self, action: Action) -> None:
        """Put in an action; the oldest falls out."""
        self._actions.append(action)

    def observation(self, observation: Observation, age: int) -> dict[str, Observation]:
        """`observation` with the last actions and `age`."""
        empty = create_empty_array(self._action_space, len(self._actions))
        rows: Action = concatenate(self._action_space, list(self._actions), empty)
        actions = np.ravel(rows) if isinstance(self._action_space, spaces.Box) else rows
        added: dict[str, Observation] = {
            self._actions_key: clip(self.space[self._actions_key], actions),
            self._age_key: np.array([age], np.float32),
        }
        return self._parts.join(observation, added)


def _history_space(action_space: AnySpace, length: int) -> AnySpace:
    """One-dimensional for a Box, because Stable-Baselines3 takes a matrix for a broken image."""
    if not is_box(action_space):
        return batch_space(action_space, length)
    low, high = (np.tile(bound.ravel(), length) for bound in (action_space.low, action_space.high))
    return spaces.Box(low, high, dtype=action_space.dtype)
