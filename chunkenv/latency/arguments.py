"""Checks of the arguments of models, and how a checked one gets into a frozen dataclass."""

from __future__ import annotations

import numbers
from typing import TypeGuard

from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number


def assign(model: object, **values: object) -> None:
    """Write checked values into a frozen dataclass, from its own constructor."""
    for name, value in values.items():
        object.__setattr__(model, name, value)


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is a real number, which True and False are not here."""
    return not isinstance(value, bool) and isinstance(value, numbers.Real)


def seconds_of(name: str, value: object) -> float:
    """`value` as finite seconds of at least 0.

    Raises:
        ArgumentError: if it is none.
    """
    return real_number(name, value, at_least=0.0)


def positive(name: str, value: object) -> float:
    """`value` as finite seconds above 0.

    Raises:
        ArgumentError: if it is none.
    """
    seconds = seconds_of(name, value)
    if seconds == 0.0:
        raise ArgumentError(f"{name}={value!r} is not above 0; give seconds.")
    return seconds


def share_of(name: str, value: object) -> float:
    """`value` as a number from 0 to 1.

    Raises:
        ArgumentError: if it is none.
    """
    return real_number(name, value, at_least=0.0, at_most=1.0)
