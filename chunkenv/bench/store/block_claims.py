"""What is to be played, and which blocks are under way or finished: two tables beside the rows.

Claims are advice, not locks: a run leaves what another has claimed for the end, and then plays it all the same, because
the other run may be gone. So no run has to find out which others are alive, and work done twice is at most what was
under way; a row is never there twice, because its unit is unique.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import time
import uuid

from chunkenv.bench.store.columns import Columns, quote
from chunkenv.bench.study import AnyCell, Block, Study
from chunkenv.utils.checks import real_number

OURS, THEIRS, DONE = "ours", "theirs", "done"


class BlockClaims:
    """The plan of a study and the claims of one run. The caller opens the transactions.

    Args:
        connection: of the database.
        columns: of its rows.
    """

    def __init__(self, connection: sqlite3.Connection, columns: Columns) -> None:
        self._connection = connection
        self._cell = " AND ".join(f'"{name}" = ?' for name in columns.keys)
        self._keys = quote(columns.keys)
        self._marks = ", ".join("?" * len(columns.keys))
        self._runner = uuid.uuid4().hex

    def plan(self, study: Study) -> None:
        """Note what is to be played, instead of what was."""
        self._connection.execute("DELETE FROM plan")
        query = f'INSERT INTO plan ({self._keys}, "#episodes", "#cost") VALUES ({self._marks}, ?, ?)'
        self._connection.executemany(
            query, [(*_values(cell), study.episodes, _cost(study, cell)) for cell in study.cells]
        )

    def claim(self, block: Block, also_others: bool) -> str:
        """Note that a block is under way, and return `OURS`; or `DONE` if its rows are there, or `THEIRS`."""
        first, last = block.episodes[0], block.episodes[-1]
        query = f"SELECT COUNT(*) FROM episodes WHERE {self._cell} AND episode BETWEEN ? AND ?"
        if self._count(query, *_values(block.cell), first, last) == len(block.episodes):
            return DONE
        other = '"#first" = ? AND "#finished" IS NULL AND "#runner" != ?'
        query = f"SELECT COUNT(*) FROM blocks WHERE {self._cell} AND {other}"
        if not also_others and self._count(query, *_values(block.cell), first, self._runner):
            return THEIRS
        columns, marks = f'{self._keys}, "#first", "#count", "#runner", "#claimed"', f"{self._marks}, ?, ?, ?, ?"
        query = f"INSERT OR REPLACE INTO blocks ({columns}) VALUES ({marks})"
        self._connection.execute(query, [*_values(block.cell), first, len(block.episodes), self._runner, time.time()])
        return OURS

    def finish(self, block: Block) -> None:
        """Note that a block's rows are there, and forget claims on parts of it, of runs with smaller blocks."""
        first, last = block.episodes[0], block.episodes[-1]
        query = f'UPDATE blocks SET "#finished" = ? WHERE {self._cell} AND "#first" = ?'
        self._connection.execute(query, [time.time(), *_values(block.cell), first])
        query = f'DELETE FROM blocks WHERE {self._cell} AND "#first" BETWEEN ? AND ? AND "#finished" IS NULL'
        self._connection.execute(query, [*_values(block.cell), first, last])

    def release(self) -> None:
        """Give up what this run has claimed and not finished."""
        self._connection.execute('DELETE FROM blocks WHERE "#finished" IS NULL AND "#runner" = ?', [self._runner])

    def _count(self, query: str, *values: object) -> int:
        return self._connection.execute(query, values).fetchone()[0]


def _cost(study: Study, cell: AnyCell) -> float:
    return real_number(f"cost({cell})", study.cost(cell))


def _values(cell: AnyCell) -> tuple[object, ...]:
    return dataclasses.astuple(cell)
