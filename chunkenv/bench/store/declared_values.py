"""Values of cells, rows and settings, held to what was declared: what does not fit is refused before it is stored.

SQLite would take nearly anything: an array as bytes, a fraction in a column of whole numbers, NaN as nothing.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from chunkenv.bench.store.columns import CELL_TYPES, NEEDED, field_types
from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate.row import Row

LARGEST = 2**63
"""Whole numbers of a database are smaller, in size."""


def hold_row(row: Row, columns: Mapping[str, str]) -> Row:
    """A row with Python's values, as its columns were declared: numbers of any library become Python's.

    NaN is what is not known, as None is; 1.0 may stand for 1 or True, where nothing is lost.

    Args:
        row: values by column, all of them known columns.
        columns: their types in SQL.

    Raises:
        ArgumentError: a value that is not of its column's type, by the column's name.

    >>> hold_row({"ticks": 3.0, "success": 1, "jerk": float("nan")},
    ...          {"ticks": "INTEGER NOT NULL", "success": "BOOLEAN", "jerk": "REAL"})
    {'ticks': 3, 'success': True, 'jerk': None}
    """
    return {name: _hold(name, value, columns[name]) for name, value in row.items()}


def hold_cell(cell: Any) -> None:
    """Hold the fields of a cell to their types; numbers of numpy or jax become Python's, in place.

    Raises:
        ArgumentError: a value that is not of its field's type, or NaN, which equals no other.
    """
    for name, kind in _fields(type(cell)).items():
        value = to_python(getattr(cell, name))
        if not _fits(value, kind):
            takes = TAKES[CELL_TYPES[kind].removesuffix(NEEDED)]
            raise ArgumentError(
                f"{type(cell).__name__} has {name}={brief(value)}, which was declared {kind.__name__}; give {takes}."
            )
        object.__setattr__(cell, name, value)  # cells are frozen; this is the same number in Python's type


def hold_settings(settings: Mapping[str, Any]) -> Row:
    """Settings as they are read again from JSON: tuples and arrays are lists, numbers of numpy or jax Python's.

    Raises:
        ArgumentError: a setting that is no plain data, or has NaN, which equals no other.

    >>> hold_settings({"noise": (0.1, 0.2)})
    {'noise': [0.1, 0.2]}
    """
    return {str(name): _hold_setting(name, value) for name, value in settings.items()}


def to_python(value: Any) -> Any:
    """A number of numpy, jax or torch, with or without an array of no dimension around it, as Python's."""
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


def _hold(name: str, value: object, declared: str) -> object:
    kind, needed = declared.removesuffix(NEEDED), declared.endswith(NEEDED)
    value = to_python(value)
    if not needed and (value is None or _is_nan(value)):
        return None
    held = None if _is_nan(value) else CONVERT[kind](value)
    if held is None:
        instead = TAKES[kind] if needed else f"{TAKES[kind]}, or None where it is not known"
        raise ArgumentError(
            f"a row has {name}={brief(value)}, which the column {name!r} does not take; give {instead}."
        )
    return held


def _truth(value: object) -> bool | None:
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def _whole(value: object) -> int | None:
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if isinstance(value, int | float) and abs(value) < LARGEST else None


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGEST) else None


def _text(value: object) -> str | None:
    return str.__str__(value) if isinstance(value, str) and _is_unicode(value) else None


CONVERT: dict[str, Callable[[object], object]] = {"BOOLEAN": _truth, "INTEGER": _whole, "REAL": _real, "TEXT": _text}
"""What a column makes of a value, by its type in SQL; None if it does not take it."""
TAKES = {
    "BOOLEAN": "True or False",
    "INTEGER": "a whole number below 2**63 in size",
    "REAL": "a number",
    "TEXT": "a text of whole characters",
}


@functools.cache
def _fields(cell: type) -> dict[str, type]:
    return field_types(cell)


def _fits(value: object, kind: type) -> bool:
    """Whether a field of such a type may have a value; a whole number may stand for a real one, as in Python."""
    if kind is str:
        return _text(value) is not None
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < LARGEST
    return isinstance(value, kind) and not _is_nan(value)


def _hold_setting(name: object, value: object) -> object:
    try:
        return json.loads(json.dumps(value, default=_to_lists), parse_constant=_infinity)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"settings[{name!r}]={brief(value)} is no plain data; give numbers (but not NaN, which equals no other), "
            "texts, lists and dicts of these."
        ) from error


def _infinity(name: str) -> float:
    if name == "NaN":
        raise ValueError
    return float(name)


def _to_lists(value: Any) -> object:
    """What JSON does not know of: an array, or a number of numpy or jax."""
    if not hasattr(value, "tolist"):
        raise TypeError
    return value.tolist()


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_unicode(text: str) -> bool:
    """Half of a surrogate pair, as a file name of another encoding has, cannot be stored."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
