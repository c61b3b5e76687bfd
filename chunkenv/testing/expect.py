"""How a check fails: with a sentence that says what was expected and what was seen."""

from __future__ import annotations

import random
import unittest
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np


def expect(good: Any, sentence: str) -> None:
    """Fail with the sentence unless `good`.

    Raises:
        AssertionError: with the sentence, also where Python runs without assertions.
    """
    __tracebackhide__ = True
    if not good:
        raise AssertionError(sentence)


def expect_same(expected: Any, seen: Any, where: str, why: str) -> None:
    """Fail unless two nested values are equal to the bit; `why` says what the difference means."""
    __tracebackhide__ = True
    found = difference(expected, seen, where)
    expect(found is None, f"{why}: {found}")


def skip(sentence: str) -> NoReturn:
    """Say that there is nothing to check (pytest and unittest both understand it)."""
    __tracebackhide__ = True
    raise unittest.SkipTest(sentence)


def difference(expected: Any, seen: Any, where: str) -> str | None:
    """A sentence about the first place where two nested values differ; None if there is none.

    Arrays must agree in shape and dtype too; NaN equals NaN.

    >>> difference({"a": [1, 2]}, {"a": [1, 3]}, "info")
    "info['a'][1] is 3; expected 2."
    """
    if isinstance(expected, Mapping) and isinstance(seen, Mapping):
        return _mapping_difference(expected, seen, where)
    if isinstance(expected, list | tuple) and isinstance(seen, list | tuple):
        return _sequence_difference(expected, seen, where)
    if isinstance(expected, np.ndarray | np.generic | float):
        return _array_difference(np.asarray(expected), np.asarray(seen), where)
    same = type(expected) is type(seen) and bool(expected == seen)
    return None if same else f"{where} is {seen!r}; expected {expected!r}."


def _mapping_difference(expected: Mapping[Any, Any], seen: Mapping[Any, Any], where: str) -> str | None:
    if set(expected) != set(seen):
        return f"{where} has the keys {sorted(map(str, seen))}; expected {sorted(map(str, expected))}."
    return _first(difference(expected[key], seen[key], f"{where}[{key!r}]") for key in expected)


def _sequence_difference(expected: Any, seen: Any, where: str) -> str | None:
    if len(expected) != len(seen):
        return f"{where} has {len(seen)} items; expected {len(expected)}."
    pairs = enumerate(zip(expected, seen, strict=True))
    return _first(difference(one, other, f"{where}[{index}]") for index, (one, other) in pairs)


def _first(differences: Iterator[str | None]) -> str | None:
    return next((found for found in differences if found is not None), None)


def _array_difference(expected: np.ndarray, seen: np.ndarray, where: str) -> str | None:
    for name in ("shape", "dtype"):
        if getattr(expected, name) != getattr(seen, name):
            return f"{where} has {name} {getattr(seen, name)}; expected {getattr(expected, name)}."
    if np.array_equal(expected, seen, equal_nan=expected.dtype.kind in "fc"):
        return None
    return f"{where} is {seen.tolist()}; expected {expected.tolist()}."


def global_randomness() -> Any:
    """The state of Python's and NumPy's global random generators."""
    return random.getstate(), np.random.get_state()  # noqa: NPY002


@contextmanager
def sown_global_randomness(seed: int) -> Iterator[None]:
    """Seed the global random generators for a while, and put them back."""
    python, numpy = global_randomness()
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
