"""The rows of decisions, in a table beside that of the episodes; it is there in the files of studies that keep them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chunkenv.bench.store.columns import Columns, declare, quote
from chunkenv.evaluate.row import Row

TABLE = "decisions"


class DecisionTable:
    """The table of one file. The caller opens the transactions.

    Args:
        connection: of the database.
        columns: of the study's rows.
    """

    def __init__(self, connection: sqlite3.Connection, columns: Columns) -> None:
        self._connection, self._columns = connection, columns

    @property
    def is_there(self) -> bool:
        """Whether the file has it."""
        return has_table(self._connection)

    def create(self) -> None:
        """Make it, unless it is there."""
        columns = self._columns
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} ({declare(columns.decisions)}, UNIQUE ({columns.unit}, decision))"
        )

    def drop(self) -> None:
        """Delete it with its rows."""
        self._connection.execute(f"DROP TABLE IF EXISTS {TABLE}")

    def insert(self, cell: Row, rows: Sequence[Row]) -> None:
        """Add the decisions of a cell's episodes; rows with all columns but the cell's."""
        names = self._columns.decisions
        query = f"INSERT INTO {TABLE} ({quote(names)}) VALUES ({', '.join('?' * len(names))})"
        self._connection.executemany(query, [[(cell | row)[name] for name in names] for row in rows])

    @property
    def select(self) -> str:
        """The query of all rows, ordered by cell, episode and decision."""
        columns = self._columns
        return f"SELECT {quote(columns.decisions)} FROM {TABLE} ORDER BY {columns.unit}, decision"

    def add_from_other(self) -> None:
        """Add the decisions of the attached database `other`, of episodes that are not in this one yet."""
        names, unit = quote(self._columns.decisions), [*self._columns.keys, "episode"]
        same = " AND ".join(f'there."{name}" = theirs."{name}"' for name in unit)
        self._connection.execute(
            f"INSERT INTO main.{TABLE} ({names}) SELECT {names} FROM other.{TABLE} theirs "
            f"WHERE NOT EXISTS (SELECT 1 FROM main.episodes there WHERE {same})"
        )


def has_table(connection: sqlite3.Connection) -> bool:
    """Whether a file has a table of decisions."""
    query = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, [TABLE]).fetchone() is not None
