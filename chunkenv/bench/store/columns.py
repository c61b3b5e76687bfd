"""What a row holds: the fields of its cell, its episode, what every episode tells, and what a study adds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import get_type_hints

from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate.row import EPISODE, MEASURES

CELL_TYPES = {int: "INTEGER NOT NULL", float: "REAL NOT NULL", str: "TEXT NOT NULL"}
RESULT_TYPES = {bool: "BOOLEAN", int: "INTEGER", float: "REAL", str: "TEXT"}
REQUIRED = {"episode": "INTEGER NOT NULL"} | {
    name: RESULT_TYPES[column.kind] + " NOT NULL" * (name != "success") for name, column in EPISODE.items()
}
"""What every row must have (`success` may be unknown)."""
RESULTS = REQUIRED | {name: RESULT_TYPES[column.kind] for name, column in MEASURES.items()}


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a study's rows, in order, with their types in SQL.

    Attributes:
        keys: fields of the cell.
        own: results that the study adds.
    """

    keys: Mapping[str, str]
    own: Mapping[str, str]

    @property
    def all(self) -> dict[str, str]:
        """Every column of the table `episodes`."""
        return {**self.keys, **RESULTS, **self.own}

    @property
    def unit(self) -> str:
        """The columns that tell rows apart, as SQL."""
        return quote([*self.keys, "episode"])


def columns_of(cell: type, results: Mapping[str, type]) -> Columns:
    """The columns of a study with such cells and results of its own.

    Args:
        cell: a frozen dataclass with int, float and str fields.
        results: bool, int, float or str by name.

    Raises:
        ArgumentError: another type, or a name that is taken.

    >>> cell = dataclasses.make_dataclass("Cell", [("task", str)])
    >>> columns = columns_of(cell, {"energy": float})
    >>> list(columns.keys), list(columns.all)[-1]
    (['task'], 'energy')
    """
    if not dataclasses.is_dataclass(cell):
        raise ArgumentError(f"cells of {cell.__name__} are no dataclasses; make them of a frozen dataclass.")
    hints = get_type_hints(cell)
    keys = {field.name: _sql("the cell's field", field.name, hints[field.name], CELL_TYPES)
            for field in dataclasses.fields(cell)}  # fmt: skip
    own = {name: _sql("the result", name, kind, RESULT_TYPES) for name, kind in results.items()}
    for name in [name for name in keys if name in RESULTS] + [name for name in own if name in RESULTS or name in keys]:
        raise ArgumentError(f"the column {name!r} is there already; give the study's own another name.")
    return Columns(keys, own)


def _sql(what: str, name: str, kind: object, known: Mapping[type, str]) -> str:
    if not name.isidentifier():
        raise ArgumentError(f"{what} {name!r} cannot be a column; give a name of letters, digits and underscores.")
    if kind not in known:
        names = ", ".join(each.__name__ for each in known)
        raise ArgumentError(f"{what} {name!r} is of the type {brief(kind)}; a column is one of {names}.")
    return known[kind]  # pyright: ignore[reportArgumentType]


def quote(names: Iterable[str]) -> str:
    """Names as SQL: quoted, with commas.

    >>> quote(["task", "return"])
    '"task", "return"'
    """
    return ", ".join(f'"{name}"' for name in names)


def declare(columns: Mapping[str, str]) -> str:
    """Names and types as SQL.

    >>> declare({"ticks": "INTEGER"})
    '"ticks" INTEGER'
    """
    return ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
