"""Where rows are kept: one SQLite file per study, that no kill leaves broken and no second run mixes up.

The journal is SQLite's rollback journal, not the write-ahead log: the log needs shared memory, which network file
systems lack, and leaves a file beside the database that is easily forgotten when it is copied. At a few rows a second
the difference in speed does not matter.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

from chunkenv.bench.provenance import machine, now, versions
from chunkenv.bench.study import Cell, Study, Unit
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Row

APPLICATION_ID = 0x63686E6B  # "chnk" in the file's header tells our files from other people's
RESULTS = {
    "episode": "INTEGER NOT NULL",
    "seed": "INTEGER NOT NULL",
    "ticks": "INTEGER NOT NULL",
    "return": "REAL NOT NULL",
    "success": "INTEGER",
    "underruns": "INTEGER NOT NULL",
    "decisions": "INTEGER NOT NULL",
}
TYPES = {int: "INTEGER NOT NULL", float: "REAL NOT NULL", str: "TEXT NOT NULL"}
STUDY_TABLE = """CREATE TABLE IF NOT EXISTS study (
    run INTEGER PRIMARY KEY, started TEXT, study TEXT, seed INTEGER, settings TEXT, versions TEXT, machine TEXT
)"""


class Store:
    """The rows of one study in one file. Use it as a context manager.

    Args:
        path: of the database; a new one is made if there is none, with its folder.
        cell: the dataclass of the study's cells.

    Raises:
        ArgumentError: if the file is no database, somebody else's, of other cells, or cannot be written.
    """

    def __init__(self, path: Path, cell: type = Cell) -> None:
        self.path = path
        self._cell = cell
        self._keys = [field.name for field in dataclasses.fields(cell)]
        self._unit = _list([*self._keys, "episode"])
        make_folder(path.parent)
        with _plainly(path):
            self._connection = sqlite3.connect(path, timeout=60)
            try:
                self._open(cell)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def begin(self, study: Study) -> None:
        """Note that a run of `study` starts, after checking that its rows can stand beside those already there.

        Raises:
            ArgumentError: if the rows there have another seed, other settings, or were made by other code.
        """
        ours = {"study": study.name, "seed": study.seed, "settings": dict(study.settings), "versions": versions()}
        ours = json.loads(json.dumps(ours))  # as it will be read again: tuples are lists
        with _plainly(self.path), self._connection:
            self._connection.execute(
                "BEGIN IMMEDIATE"
            )  # so that of two runs that start at once the second sees the first
            runs = self.runs()
            if runs:
                _refuse_to_mix(self.path, runs[0], ours)
            if not runs or (runs[-1]["versions"], runs[-1]["machine"]) != (ours["versions"], machine()):
                self._note(ours)

    def clear(self) -> None:
        """Throw away all rows, and what was noted about their runs."""
        with _plainly(self.path), self._connection:
            self._connection.execute("DELETE FROM episodes")
            self._connection.execute("DELETE FROM study")

    def add(self, unit: Unit, row: Row) -> None:
        """Keep a row; it is on the disk when this returns. A unit that is there already keeps its row."""
        values = {**dataclasses.asdict(unit.cell), "episode": unit.episode, **row}
        marks = ", ".join("?" * len(values))
        query = f"INSERT INTO episodes ({_list(values)}) VALUES ({marks}) ON CONFLICT ({self._unit}) DO NOTHING"
        with _plainly(self.path), self._connection:
            self._connection.execute(query, list(values.values()))

    def done(self) -> set[Unit]:
        """The units whose rows are kept."""
        return {Unit(self._cell(**{key: row[key] for key in self._keys}), row["episode"]) for row in self.rows()}

    def rows(self) -> list[Row]:
        """All rows, ordered by cell and episode, whatever order they were made in; `success` is a bool or None."""
        rows = self._select(f"SELECT * FROM episodes ORDER BY {self._unit}")
        return [{**row, "success": None if row["success"] is None else bool(row["success"])} for row in rows]

    def runs(self) -> list[Row]:
        """What was noted about the runs that made the rows: name, seed, settings, versions, machine, start."""
        rows = self._select("SELECT * FROM study ORDER BY run")
        return [{**row, **{key: json.loads(row[key]) for key in ("settings", "versions")}} for row in rows]

    def _select(self, query: str) -> list[Row]:
        with _plainly(self.path):
            cursor = self._connection.execute(query)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _note(self, run: Row) -> None:
        values = (now(), run["study"], run["seed"], _json(run["settings"]), _json(run["versions"]), machine())
        query = "INSERT INTO study (started, study, seed, settings, versions, machine) VALUES (?, ?, ?, ?, ?, ?)"
        self._connection.execute(query, values)

    def _open(self, cell: type) -> None:
        tables = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return self._create(cell)
        (application_id,) = self._connection.execute("PRAGMA application_id").fetchone()
        if application_id != APPLICATION_ID or not {"episodes", "study"} <= tables:
            raise ArgumentError(f"{self.path} is a database of something else; {_ELSEWHERE}.")
        columns = [row[1] for row in self._connection.execute("PRAGMA table_info(episodes)")]
        if columns != [*self._keys, *RESULTS]:
            raise ArgumentError(f"{self.path} has rows with the columns {', '.join(columns)}; {_ELSEWHERE}.")

    def _create(self, cell: type) -> None:
        columns = {name: TYPES[kind] for name, kind in get_type_hints(cell).items()} | RESULTS
        described = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
        with self._connection:
            # One transaction: a kill in between must not leave half of the tables.
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(STUDY_TABLE)
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS episodes ({described}, UNIQUE ({self._unit}))")


_ELSEWHERE = "choose another folder with --out, or move the file away"


def _refuse_to_mix(path: Path, theirs: Row, ours: Row) -> None:
    """One sentence about the first thing that makes rows incomparable."""
    for what, there in _identity(theirs).items():
        here = _identity(ours)[what]
        if there != here:
            raise ArgumentError(
                f"{path} holds rows made with {what} {there!r}, which must not be mixed with {here!r}; "
                f"{_ELSEWHERE}, or start again with --overwrite."
            )


def _identity(run: Row) -> Row:
    """What must be the same for rows to stand in one table; libraries and machines may differ, and are noted."""
    made_by = {"chunkenv": run["versions"]["chunkenv"], "code of fingerprint": run["versions"]["code"]}
    return {"the study": run["study"], "seed": run["seed"], "the settings": run["settings"], **made_by}


def make_folder(folder: Path) -> None:
    """Make a folder for results, unless it is there.

    Raises:
        ArgumentError: if that is impossible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(
            f"{folder} cannot be a folder for results ({error.strerror}); choose another with --out."
        ) from error


@contextlib.contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite says about a file into a sentence."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ArgumentError(f"{path} cannot be used as a database of episodes ({error}); {_ELSEWHERE}.") from error


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
