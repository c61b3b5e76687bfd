"""Types of what only the environment knows: observations, actions, infos; and what is known of any value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

import gymnasium as gym
from gymnasium import spaces
from gymnasium.vector import VectorEnv

Observation: TypeAlias = Any
"""A member of an observation space, or a batch of them."""

Action: TypeAlias = Any
"""A member of an action space, or a batch of them."""

Value: TypeAlias = Any
"""A member of any space, or a batch of them."""

Info: TypeAlias = dict[str, Any]
"""What an environment says beside its observation; of a vector environment, with masks under `_key`."""

StepResult: TypeAlias = tuple[Observation, Any, bool, bool, Info]
"""What a step of an environment returns; its reward is anything that `float` takes."""

AnyEnv: TypeAlias = gym.Env[Any, Any]
AnySpace: TypeAlias = spaces.Space[Any]
AnyVectorEnv: TypeAlias = VectorEnv[Any, Any, Any]


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether `value` is a mapping; its keys are taken for names."""
    return isinstance(value, Mapping)


def is_list(value: object, kinds: type | tuple[type, ...] = (list, tuple)) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is a list or a tuple, or of other `kinds`."""
    return isinstance(value, kinds)


def is_box(space: AnySpace) -> TypeGuard[spaces.Box[Any]]:
    """Whether a space is a Box, whose dtype gymnasium's own type does not say."""
    return isinstance(space, spaces.Box)


def named_parts(space: AnySpace) -> dict[str, AnySpace]:
    """The parts of a Dict space by their keys; none of another space."""
    return {key: space[key] for key in space} if isinstance(space, spaces.Dict) else {}
