"""How a column writes its numbers: alike, so that they can be compared, and no finer than they are worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

DIGITS = 4
"""Of the largest number in a column."""
FINEST, LARGEST = 1e-9, 1e15
"""Columns of smaller or larger numbers are written with exponents."""


def number_format(values: Iterable[float], sign: bool = False) -> Callable[[float], str]:
    """A function that writes the numbers of a column, and others at their scale.

    Args:
        values: those of the column; the largest in size decides on the decimals. What is not finite does not count.
        sign: whether numbers above 0 have a plus.

    >>> write = number_format([21.35, -3.0, float("nan")])
    >>> write(21.35), write(-3.0), write(2e-8)
    ('21.35', '-3.00', '0.00')
    >>> [number_format([2, 30])(value) for value in (2, 30)]
    ['2', '30']
    """
    finite = [value for value in values if math.isfinite(value)]
    largest = max(map(abs, finite), default=0.0)
    if largest and not FINEST < largest < LARGEST:
        return f"{{:{'+' * sign}.{DIGITS}g}}".format
    most = max(0, DIGITS - 1 - math.floor(math.log10(largest))) if largest else 0
    decimals = _decimals(finite, most)
    return lambda value: _write(value, decimals, sign)


def _decimals(values: list[float], most: int) -> int:
    """As many as some number needs, at most `most`."""
    return next(each for each in range(most + 1) if all(round(v, each) == round(v, most) for v in values))


def _write(value: float, decimals: int, sign: bool) -> str:
    rounded = round(value, decimals) + 0.0  # which is no longer -0.0
    return f"{rounded:+.{decimals}f}" if sign and rounded else f"{rounded:.{decimals}f}"
