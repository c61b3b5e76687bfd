"""Checks of arguments: each returns the value or raises one clear sentence."""

from __future__ import annotations

import math
import operator
from typing import Any

import gymnasium as gym
from gymnasium.vector import VectorEnv

from chunkenv.errors import ArgumentError, brief, suggest


def whole_number(name: str, value: Any, at_least: int, at_most: int | None = None) -> int:
    """`value` as an int.

    Raises:
        ArgumentError: if it is no whole number, less than `at_least`, or more than `at_most`.

    >>> whole_number("workers", 2, at_least=1)
    2
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ArgumentError(f"{name}={value!r} is not a whole number; give an int of at least {at_least}.")
    if number < at_least:
        raise ArgumentError(f"{name}={value!r} is too small; give an int of at least {at_least}.")
    if at_most is not None and number > at_most:
        raise ArgumentError(f"{name}={brief(value)} is too large; give an int of at most {at_most}.")
    return number


def real_number(name: str, value: Any, at_least: float = -math.inf, at_most: float = math.inf) -> float:
    """`value` as a finite float within the closed interval.

    Raises:
        ArgumentError: if it is no number, not finite, or outside.

    >>> real_number("discount", 0.99, at_least=0.0, at_most=1.0)
    0.99
    """
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or not at_least <= number <= at_most:
        raise ArgumentError(f"{name}={value!r} is not a finite number{_between(at_least, at_most)}.")
    return number


def _between(low: float, high: float) -> str:
    if math.isfinite(low) and math.isfinite(high):
        return f" from {low:g} to {high:g}"
    return f" of at least {low:g}" if math.isfinite(low) else ""


def true_or_false(name: str, value: object) -> bool:
    """`value`, if it is a bool.

    Raises:
        ArgumentError: otherwise.
    """
    if not isinstance(value, bool):
        raise ArgumentError(f"{name}={value!r} is not True or False.")
    return value


def one_of(name: str, value: object, known: tuple[str, ...]) -> str:
    """`value`, if it is one of the `known` names.

    Raises:
        ArgumentError: otherwise, with the nearest name.
    """
    if not isinstance(value, str) or value not in known:
        raise ArgumentError(f"{name}={value!r} is unknown; {suggest(value, known)}")
    return value


def expect_env(env: object, wrapper: str) -> None:
    """Refuse what no wrapper can stand around.

    Args:
        env: what should be an environment of Gymnasium.
        wrapper: the name of the wrapper, for the sentence.

    Raises:
        ArgumentError: it is none, with how to get one from what was given.

    >>> expect_env("Ant-v5", "Noise")
    Traceback (most recent call last):
    chunkenv.errors.ArgumentError: Noise wraps a Gymnasium environment, not 'Ant-v5': give gymnasium.make('Ant-v5').
    """
    if not isinstance(env, gym.Env):
        raise ArgumentError(f"{wrapper} wraps a Gymnasium environment, not {brief(env)}: {_remedy(env)}")


def _remedy(env: object) -> str:
    if isinstance(env, str):
        return f"give gymnasium.make({env!r})."
    if isinstance(env, type):
        return f"it is a class; give an object of it, {env.__name__}(...)."
    if isinstance(env, VectorEnv):
        return (
            "it is many environments; use chunkenv.ChunkedVectorExecution, or put wrappers around each of them with "
            "gymnasium.make_vec(id, num_envs, 'sync', wrappers=[...])."
        )
    if hasattr(env, "possible_agents"):
        return (
            "it has several agents (PettingZoo); write a gymnasium.Env around it whose action is that of one agent, "
            "with the others' policies inside, or a Dict of the actions of all."
        )
    return "make one with gymnasium.make, or inherit gymnasium.Env."
