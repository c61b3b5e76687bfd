"""Databases of any study, opened without knowing what it was."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from pathlib import Path

from chunkenv.bench.store.columns import CELL_TYPES, RESULT_TYPES
from chunkenv.bench.store.schema import columns_in
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError


def open_store(path: Path) -> Store:
    """The rows in a file, whatever study made them.

    Raises:
        ArgumentError: if there is no file, or no study in it.
    """
    if not path.is_file():
        raise ArgumentError(f"{path.parent} has no {path.name}; give the folder that a study wrote.")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            columns = columns_in(connection)
        except sqlite3.DatabaseError:
            columns = None
    kinds = {sql: kind for types in (CELL_TYPES, RESULT_TYPES) for kind, sql in types.items()}
    if columns is None or not kinds.keys() >= {*columns.keys.values(), *columns.own.values()}:
        return Store(path)  # which says what is wrong
    own = {name: kinds[sql] for name, sql in columns.own.items()}
    if list(columns.keys) == [field.name for field in dataclasses.fields(Cell)]:
        return Store(path, Cell, own)
    fields = [(name, kinds[sql]) for name, sql in columns.keys.items()]
    return Store(path, dataclasses.make_dataclass("Cell", fields, frozen=True), own)
