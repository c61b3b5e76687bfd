"""Where rows are kept: one SQLite file per study, that no kill leaves broken and no second run mixes up.

The rows of a block are written in one transaction, with the note that it is finished: a block has all its rows or none.

The journal is SQLite's rollback journal, not the write-ahead log: the log needs shared memory, which network file
systems lack, and leaves a file beside the database that is easily forgotten when it is copied. At a few blocks a second
the difference in speed does not matter.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from chunkenv.bench.store.block_claims import BlockClaims
from chunkenv.bench.store.columns import columns_of, quote
from chunkenv.bench.store.decision_table import DecisionTable
from chunkenv.bench.store.declared_values import hold_settings
from chunkenv.bench.store.fingerprint import study_code
from chunkenv.bench.store.provenance import METHOD, about, machine, now, versions
from chunkenv.bench.store.schema import ELSEWHERE, NOTED, prepare
from chunkenv.bench.study import Block, Cell, Study, Unit
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Row


class Store:
    """The rows of one study in one file. Use it as a context manager.

    Args:
        path: of the database; a new one is made if there is none, with its folder.
        cell: the dataclass of the study's cells.
        results: columns that the study adds, as in `Study.results`.

    Raises:
        ArgumentError: if the file is no database, another program's, of other cells, or cannot be written.
    """

    def __init__(self, path: Path, cell: type = Cell, results: Mapping[str, type] | None = None) -> None:
        self.path = path
        self.columns = columns_of(cell, results or {})
        self._cell = cell
        make_folder(path.parent)
        with _explain_errors(path):
            self._connection = sqlite3.connect(path, timeout=60)
            try:
                prepare(self._connection, self.columns, path)
            except BaseException:
                self._connection.close()
                raise
        self._claims = BlockClaims(self._connection, self.columns)
        self._decisions = DecisionTable(self._connection, self.columns)
        self._run: Row = {}

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def begin(self, study: Study, command: str = "") -> None:
        """Note that a run of `study` starts, after checking that its rows can stand beside those already there.

        Args:
            study: what will be played; it is what is planned from now on.
            command: the command line that plays it, if there is one.

        Raises:
            ArgumentError: if the rows there have another seed, other settings, or were made by other code, or if
                they are with decisions and the study's are not, or the other way round.
        """
        ours = _description(study, command)
        with self._writing():  # at once, so that of two runs that start together the second sees the first
            runs = self.runs()
            if runs and identity(runs[0]) != identity(ours):
                if self._has_rows():
                    refuse_to_mix(self.path, runs[0], ours)
                self._delete_all()
                runs = []
            self._prepare_decisions(study)
            if not runs or any(runs[-1][what] != ours[what] for what in ("versions", "machine", "command", "about")):
                self._note(ours)
            self._claims.plan(study)
        self._run = ours

    def clear(self) -> None:
        """Delete all rows, and what was noted about their runs."""
        with self._writing():
            self._delete_all()

    def claim(self, block: Block, also_others: bool = False) -> str:
        """Note that a block is played from now on; returns what `BlockClaims.claim` does."""
        with self._writing():
            return self._claims.claim(block, also_others)

    def release(self) -> None:
        """Give up what this run has claimed and not finished."""
        with self._writing():
            self._claims.release()

    def keep(self, block: Block, rows: Sequence[Row], decisions: Sequence[Row] = ()) -> None:
        """Keep a block's rows, one for each of its episodes; they are on the disk when this returns.

        A unit that is there already keeps its row, and its decisions.

        Args:
            block: whose they are.
            rows: of its episodes, in order.
            decisions: of a study that keeps them, those of all its episodes, with the columns that are stored.

        Raises:
            ArgumentError: if the file was given to another study since the run began, while it had no rows.
        """
        with self._writing():
            if self._run and (runs := self.runs()):
                refuse_to_mix(self.path, runs[0], self._run)
            cell = dataclasses.asdict(block.cell)
            new = {
                episode
                for episode, row in zip(block.episodes, rows, strict=True)
                if self.insert({**cell, "episode": episode, **row})
            }
            if kept := [row for row in decisions if row["episode"] in new]:
                self._decisions.insert(cell, kept)
            self._claims.finish(block)

    def insert(self, row: Row) -> bool:
        """Add a row with all its columns; False if its unit is there already. The caller opens the transaction."""
        marks = ", ".join("?" * len(row))
        unit = self.columns.unit
        query = f"INSERT INTO episodes ({quote(row)}) VALUES ({marks}) ON CONFLICT ({unit}) DO NOTHING"
        return self._connection.execute(query, list(row.values())).rowcount == 1

    def counts(self, study: Study) -> dict[Block, int]:
        """How many rows each block of a study has."""
        query = (
            f"SELECT {quote(self.columns.keys)}, episode / ?, COUNT(*) FROM episodes WHERE episode < ? "
            f"GROUP BY {quote(self.columns.keys)}, episode / ?"
        )
        with _explain_errors(self.path):
            found = self._connection.execute(query, (study.batch, study.episodes, study.batch)).fetchall()
        there = {tuple(key): count for *key, count in found}
        keys = {block: (*dataclasses.astuple(block.cell), block.episodes[0] // study.batch) for block in study.blocks}
        return {block: there.get(key, 0) for block, key in keys.items()}

    def done(self) -> set[Unit]:
        """The units whose rows are kept."""
        with _explain_errors(self.path):
            found = self._connection.execute(f"SELECT {self.columns.unit} FROM episodes").fetchall()
        names = list(self.columns.keys)
        return {Unit(self._cell(**dict(zip(names, cell, strict=True))), episode) for *cell, episode in found}

    def rows(self) -> list[Row]:
        """All rows, ordered by cell and episode, whatever order they were made in; truths are bool or None."""
        truths = ["success", *(name for name, kind in self.columns.own.items() if kind == "BOOLEAN")]
        rows = self.select(f"SELECT {quote(self.columns.all)} FROM episodes ORDER BY {self.columns.unit}")
        return [{**row, **{name: None if row[name] is None else bool(row[name]) for name in truths}} for row in rows]

    @property
    def keeps_decisions(self) -> bool:
        """Whether the rows of decisions are kept, too."""
        return self._decisions.is_there

    def decisions(self) -> list[Row]:
        """The rows of all decisions, ordered by cell, episode and decision; none if they are not kept.

        Columns of a decision have `decision_` before their names: a cell may have a `delay` of its own.
        """
        return self.select(self._decisions.select) if self.keeps_decisions else []

    def runs(self) -> list[Row]:
        """What was noted about the runs that made the rows: see `schema.NOTED`."""
        rows = self.select("SELECT * FROM study ORDER BY run")
        return [{**row, **{key: json.loads(row[key]) for key in ("settings", "versions")}} for row in rows]

    def select(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """What a query finds, with values for its question marks, as dictionaries."""
        with _explain_errors(self.path):
            cursor = self._connection.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def copy(self, path: Path) -> sqlite3.Connection:
        """A connection to a copy of everything, as it is at one moment; the caller closes it."""
        with _explain_errors(path):
            other = sqlite3.connect(path)
            self._connection.backup(other)
        return other

    def _has_rows(self) -> bool:
        return bool(self.select("SELECT 1 FROM episodes LIMIT 1"))

    def _prepare_decisions(self, study: Study) -> None:
        """Have the table of decisions, or have none; a file has those of all its episodes, or none."""
        if self._has_rows() and self.keeps_decisions != study.keep_decisions:
            there, here = ("with", "without") if self.keeps_decisions else ("without", "with")
            raise ArgumentError(
                f"{self.path} holds episodes {there} the rows of their decisions, and this run is to go on {here} "
                f"them (keep_decisions={study.keep_decisions}); {ELSEWHERE}, or start again with --overwrite."
            )
        if study.keep_decisions:
            self._decisions.create()
        else:
            self._decisions.drop()

    def _delete_all(self) -> None:
        self._decisions.drop()
        for table in ("episodes", "study", "plan", "blocks"):
            self._connection.execute(f"DELETE FROM {table}")

    def _note(self, run: Row) -> None:
        noted = run | {"started": now(), "settings": _json(run["settings"]), "versions": _json(run["versions"])}
        marks = ", ".join("?" * len(NOTED))
        query = f"INSERT INTO study ({quote(NOTED)}) VALUES ({marks})"
        self._connection.execute(query, [noted[name] for name in NOTED])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it is on the disk afterwards, or nothing."""
        with _explain_errors(self.path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield


def refuse_to_mix(path: Path, theirs: Row, ours: Row) -> None:
    """One sentence about the first thing that makes rows incomparable.

    Raises:
        ArgumentError: if there is such a thing.
    """
    instead = f"{ELSEWHERE}, or start again with --overwrite."
    if theirs["versions"].get(METHOD) != ours["versions"].get(METHOD):
        raise ArgumentError(
            f"{path} holds rows of an older chunkenv, which compared code in another way: they can be reported, "
            f"exported and merged, but no run can go on with them; {instead}"
        )
    for what, here in identity(ours).items():
        there = identity(theirs)[what]
        if there != here:
            raise ArgumentError(
                f"{path} holds rows made with {what} {there!r}, which must not be mixed with {here!r}; {instead}"
            )


def identity(run: Row) -> Row:
    """What must be the same for rows to stand in one table; libraries and machines may differ, and are noted."""
    noted = run["versions"]
    return {
        "the study": run["study"],
        "seed": run["seed"],
        "the settings": run["settings"],
        "chunkenv": noted["chunkenv"],
        METHOD: noted.get(METHOD),
        "code of fingerprint": noted["code"],
        "a study's file of fingerprint": noted.get("study"),
    }


def _description(study: Study, command: str) -> Row:
    """What is noted about a run, as it will be read again: tuples are lists."""
    made_by = {"versions": versions() | study_code(study), "machine": machine(), "command": command}
    identity = {"study": study.name, "seed": study.seed, "settings": hold_settings(study.settings)}
    return identity | made_by | {"about": about(study)}


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
def _explain_errors(path: Path) -> Iterator[None]:
    """Turn an error of SQLite into a sentence about the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ArgumentError(f"{path} cannot be used as a database of episodes ({error}); {ELSEWHERE}.") from error


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
