"""What a row holds: the fields of its cell, its episode, what every episode tells, and what a study adds.

In SQL the names of a study's columns stand as they are, quoted; every other name beside them (a column of the books, an
alias in a query) begins with `#`, which none of theirs can contain. So no name of a study can be mistaken for ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import get_type_hints

from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate.row import DECISION, EPISODE, MEASURES

NEEDED = " NOT NULL"
CELL_TYPES = {int: "INTEGER NOT NULL", float: "REAL NOT NULL", str: "TEXT NOT NULL"}
RESULT_TYPES = {bool: "BOOLEAN", int: "INTEGER", float: "REAL", str: "TEXT"}
REQUIRED = {"episode": "INTEGER NOT NULL"} | {
    name: RESULT_TYPES[column.kind] + NEEDED * (name != "success") for name, column in EPISODE.items()
}
"""What every row must have (`success` may be unknown)."""
RESULTS = REQUIRED | {name: RESULT_TYPES[column.kind] for name, column in MEASURES.items()}
UNKNOWN_DECISIONS = ("evaluations", "seconds")
"""What need not be known of a decision: not every policy has a cost, not every study of its own measures time."""


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
    def decisions(self) -> dict[str, str]:
        """Every column of the table `decisions`."""
        own = {
            decision_name(name): RESULT_TYPES[column.kind] + NEEDED * (name not in UNKNOWN_DECISIONS)
            for name, column in DECISION.items()
        }
        return {**self.keys, "episode": REQUIRED["episode"], **own}

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
    keys = {name: _sql("the cell's field", name, kind, CELL_TYPES) for name, kind in field_types(cell).items()}
    own = {name: _sql("the result", name, kind, RESULT_TYPES) for name, kind in results.items()}
    if not keys:
        raise ArgumentError(f"cells of {cell.__name__} have no fields; give them what tells one setting from another.")
    _refuse_equal_names([*RESULTS, *keys, *own])
    return Columns(keys, own)


def decision_name(name: str) -> str:
    """What a column of decisions is called beside those of a cell, which may have a `delay` of its own.

    >>> decision_name("delay"), decision_name("decision")
    ('decision_delay', 'decision')
    """
    return name if name == "decision" else f"decision_{name}"


def check_decisions(columns: Columns) -> None:
    """Refuse a cell that has a field of the name of a decision's column.

    Raises:
        ArgumentError: that name.
    """
    _refuse_equal_names([*map(decision_name, DECISION), *columns.keys])


def field_types(cell: type) -> dict[str, type]:
    """The fields of a cell's dataclass with their types, in order.

    Raises:
        ArgumentError: if it is no dataclass.
    """
    if not dataclasses.is_dataclass(cell):
        raise ArgumentError(f"cells of {cell.__name__} are no dataclasses; make them of a frozen dataclass.")
    hints = get_type_hints(cell)
    return {field.name: hints[field.name] for field in dataclasses.fields(cell)}


def _refuse_equal_names(names: Iterable[str]) -> None:
    """SQLite does not tell `n` from `N` (in ASCII, as `bytes.lower` has it)."""
    known: dict[bytes, str] = {}
    for name in names:
        there = known.get(name.encode().lower())
        if there == name:
            raise ArgumentError(f"the column {name!r} is there already; give the study's own another name.")
        if there is not None:
            raise ArgumentError(
                f"the columns {there!r} and {name!r} differ in nothing but case, which a database does not tell apart; "
                f"give {name!r} another name."
            )
        known[name.encode().lower()] = name


def _sql(what: str, name: object, kind: object, known: Mapping[type, str]) -> str:
    if not isinstance(name, str) or not name.isidentifier():
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
