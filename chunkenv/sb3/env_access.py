"""Attributes and methods of the environments inside a vector environment, in this process or in workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.vector import VectorEnv, VectorWrapper
from stable_baselines3.common.env_util import is_wrapped

from chunkenv.errors import ArgumentError


class EnvAccess:
    """Access to the environments inside a vector environment.

    There are three kinds: environments in this process (`SyncVectorEnv`), environments in workers, which are only
    reached all at once (`AsyncVectorEnv`), and a native one without members, whose own attributes are those of all.

    Args:
        vector_env: a Gymnasium vector environment.
    """

    def __init__(self, vector_env: VectorEnv) -> None:
        self._vector_env = vector_env
        inner: Any = vector_env.unwrapped
        self._local: Sequence[gym.Env] | None = getattr(inner, "envs", None)
        self._remote: Any = inner if hasattr(inner, "call") else None

    def get(self, name: str, indices: Sequence[int]) -> list[Any]:
        """An attribute of some environments.

        Raises:
            AttributeError: if they have none of this name.
        """
        if self._local is not None:
            return [self._local[index].get_wrapper_attr(name) for index in indices]
        if self._remote is not None:
            values = self._remote.get_attr(name)
            return [values[index] for index in indices]
        return [getattr(self._layer_with(name), name)] * len(indices)

    def set(self, name: str, value: Any, indices: Sequence[int]) -> None:
        """Set an attribute of some environments.

        Raises:
            ArgumentError: if they are not in this process and the attribute cannot be reached.
        """
        if self._local is not None:
            for index in indices:
                self._local[index].set_wrapper_attr(name, value)
        elif self._remote is not None:
            values = list(self._remote.get_attr(name))
            for index in indices:
                values[index] = value
            self._remote.set_attr(name, values)
        else:
            self._expect_all(indices, f"set {name!r} of")
            setattr(self._layer_with(name), name, value)

    def call(self, name: str, indices: Sequence[int], arguments: Sequence[Any], named: dict[str, Any]) -> list[Any]:
        """What a method of some environments returns.

        Raises:
            ArgumentError: if they can only be called all at once, or have no methods of their own.
        """
        if self._local is not None:
            methods: list[Callable[..., Any]] = [self._local[index].get_wrapper_attr(name) for index in indices]
            return [method(*arguments, **named) for method in methods]
        if self._remote is None:
            raise ArgumentError(
                f"cannot call {name!r} of single environments: {self._vector_env} plays all of them natively; call its "
                "own method, or make it from members with gymnasium.vector.SyncVectorEnv."
            )
        self._expect_all(indices, f"call {name!r} of")
        return list(self._remote.call(name, *arguments, **named))

    def wrapped_by(self, wrapper: type[Any], indices: Sequence[int]) -> list[bool]:
        """Whether some environments are wrapped: each by itself, or all by a wrapper of the vector environment."""
        outside = any(isinstance(layer, wrapper) for layer in _layers(self._vector_env))
        if outside or self._local is None:
            return [outside] * len(indices)
        return [is_wrapped(self._local[index], wrapper) for index in indices]

    def _layer_with(self, name: str) -> VectorEnv:
        """The outermost layer that has an attribute: Gymnasium's vector wrappers hide what they wrap."""
        return next((layer for layer in _layers(self._vector_env) if hasattr(layer, name)), self._vector_env)

    def _expect_all(self, indices: Sequence[int], action: str) -> None:
        count = self._vector_env.num_envs
        if sorted(indices) != list(range(count)):
            raise ArgumentError(
                f"cannot {action} the environments {list(indices)} alone: {self._vector_env} reaches all {count} at "
                "once; leave `indices` out."
            )


def _layers(env: VectorEnv) -> Iterator[VectorEnv]:
    yield env
    while isinstance(env, VectorWrapper):
        env = env.env
        yield env
