"""How a check fails: with a sentence that says what was expected and what was found."""

from __future__ import annotations

import random
import unittest
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import numpy as np

from chunkenv.utils.types import is_list, is_mapping


def expect(good: object, sentence: str) -> None:
    """Fail with the sentence unless `good`.

    Raises:
        AssertionError: with the sentence, also where Python runs without assertions.
    """
    __tracebackhide__ = True
    if not good:
        raise AssertionError(sentence)


def expect_same(expected: object, actual: object, where: str, why: str) -> None:
    """Fail unless two nested values are equal to the bit; `why` says what the difference means."""
    __tracebackhide__ = True
    found = difference(expected, actual, where)
    expect(found is None, f"{why}: {found}")


def skip(sentence: str) -> NoReturn:
    """Skip a check that has nothing to look at (pytest and unittest both understand it)."""
    __tracebackhide__ = True
    raise unittest.SkipTest(sentence)


def difference(expected: object, actual: object, where: str) -> str | None:
    """A sentence about the first place where two nested values differ; None if there is none.

    Arrays must agree in shape and dtype too; NaN equals NaN.

    >>> difference({"a": [1, 2]}, {"a": [1, 3]}, "info")
    "info['a'][1] is 3; expected 2."
    """
    if is_mapping(expected) and is_mapping(actual):
        return _mapping_difference(expected, actual, where)
    if is_list(expected) and is_list(actual):
        return _sequence_difference(expected, actual, where)
    if isinstance(expected, np.ndarray | np.generic | float):
        return _array_difference(np.asarray(expected), np.asarray(actual), where)
    same = type(expected) is type(actual) and bool(expected == actual)
    return None if same else f"{where} is {actual!r}; expected {expected!r}."


def _mapping_difference(expected: Mapping[str, object], actual: Mapping[str, object], where: str) -> str | None:
    if set(expected) != set(actual):
        return f"{where} has the keys {sorted(map(str, actual))}; expected {sorted(map(str, expected))}."
    return _first(difference(expected[key], actual[key], f"{where}[{key!r}]") for key in expected)


def _sequence_difference(expected: Sequence[object], actual: Sequence[object], where: str) -> str | None:
    if len(expected) != len(actual):
        return f"{where} has {len(actual)} items; expected {len(expected)}."
    pairs = enumerate(zip(expected, actual, strict=True))
    return _first(difference(one, other, f"{where}[{index}]") for index, (one, other) in pairs)


def _first(differences: Iterator[str | None]) -> str | None:
    return next((found for found in differences if found is not None), None)


def _array_difference(expected: np.ndarray, actual: np.ndarray, where: str) -> str | None:
    for name in ("shape", "dtype"):
        if getattr(expected, name) != getattr(actual, name):
            return f"{where} has {name} {getattr(actual, name)}; expected {getattr(expected, name)}."
    if np.array_equal(expected, actual, equal_nan=expected.dtype.kind in "fc"):
        return None
    return f"{where} is {actual.tolist()}; expected {expected.tolist()}."


def global_randomness() -> tuple[object, ...]:
    """The state of Python's and NumPy's global random generators."""
    return random.getstate(), np.random.get_state()  # noqa: NPY002


@contextmanager
def seeded_global_randomness(seed: int) -> Iterator[None]:
    """Seed the global random generators for a while, and put them back."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
