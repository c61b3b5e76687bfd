"""Checks of arguments: each returns the value or raises one clear sentence."""

from __future__ import annotations

import math
import operator
from typing import Any

from chunkenv.errors import ArgumentError, suggest


def whole_number(name: str, value: Any, at_least: int) -> int:
    """`value` as an int.

    Raises:
        ArgumentError: if it is no whole number, or less than `at_least`.

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
