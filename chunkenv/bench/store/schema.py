"""The tables of a study's database: made, brought up to date, or refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from chunkenv.bench.store.columns import NEEDED, RESULTS, Columns, declare, quote
from chunkenv.errors import ArgumentError

APPLICATION_ID = 0x63686E6B  # "chnk" in the file's header tells our files from other people's
LAYOUT = 4
"""1 was without measures, plan and blocks; in 2 the books had names that a cell's fields could have, too; 3 was without
what a study is about."""
ELSEWHERE = "choose another folder with --out, or move the file away"
NOTED = {
    "started": "TEXT",
    "study": "TEXT",
    "seed": "INTEGER",
    "settings": "TEXT",
    "versions": "TEXT",
    "machine": "TEXT",
    "command": "TEXT",
    "about": "TEXT",
}
"""What is noted about a run; settings and versions are JSON, and `about` is empty where it is not known."""


def prepare(connection: sqlite3.Connection, columns: Columns, path: Path) -> None:
    """See to it that the tables are there, as this version of chunkenv has them.

    Raises:
        ArgumentError: if the file is of something else, has rows of other cells, or is of a newer chunkenv.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return _create(connection, columns)
    _refuse_others(connection, tables, path)
    found = layout_of(connection)
    if found > LAYOUT:
        raise ArgumentError(f"{path} was made by a newer chunkenv (layout {found}, this one knows {LAYOUT}): update.")
    if columns_in(connection) != columns:
        _create_anew(connection, columns, path)
    elif found < LAYOUT:
        _bring_up_to_date(connection, columns)


def columns_in(connection: sqlite3.Connection) -> Columns | None:
    """The columns of the study that the file holds; None if it holds none."""
    types = table_types(connection)
    names = list(types)
    if "episode" not in names:
        return None
    keys, rest = names[: names.index("episode")], names[names.index("episode") :]
    return Columns({name: types[name] for name in keys}, {name: types[name] for name in rest if name not in RESULTS})


def table_types(connection: sqlite3.Connection) -> dict[str, str]:
    """The columns of the table `episodes` with their types, as they were declared."""
    found = connection.execute("PRAGMA table_info(episodes)")
    return {name: kind + NEEDED * needed for _, name, kind, needed, *_ in found}


def layout_of(connection: sqlite3.Connection) -> int:
    """The number of the layout; the first had none."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return number or 1


def _refuse_others(connection: sqlite3.Connection, tables: set[str], path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID or not {"episodes", "study"} <= tables:
        raise ArgumentError(f"{path} is a database of something else; {ELSEWHERE}.")


def _create(connection: sqlite3.Connection, columns: Columns) -> None:
    with connection:
        # One transaction: a kill in between must not leave half of the tables.
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,):
            return  # another run made them while this one waited
        _create_tables(connection, columns)


def _create_anew(connection: sqlite3.Connection, columns: Columns, path: Path) -> None:
    """Tables with other columns, in place of those that have no rows."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT 1 FROM episodes LIMIT 1").fetchone():
            _refuse_columns(connection, columns, path)
        for table in ("episodes", "decisions", "study", "plan", "blocks"):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        _create_tables(connection, columns)


def _refuse_columns(connection: sqlite3.Connection, columns: Columns, path: Path) -> None:
    there = table_types(connection)
    for name, kind in [*columns.keys.items(), *columns.own.items()]:
        if there.get(name, kind) != kind:
            raise ArgumentError(f"{path} has rows with {name!r} as {there[name]}, which is {kind} now; {ELSEWHERE}.")
    raise ArgumentError(f"{path} has rows with the columns {', '.join(there)}; {ELSEWHERE}.")


def _create_tables(connection: sqlite3.Connection, columns: Columns) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"CREATE TABLE study (run INTEGER PRIMARY KEY, {declare(NOTED)})")
    connection.execute(f"CREATE TABLE episodes ({declare(columns.all)}, UNIQUE ({columns.unit}))")
    _create_books(connection, columns)


def _create_books(connection: sqlite3.Connection, columns: Columns) -> None:
    """What is to be played, and which blocks were: `#finished` is empty for those under way."""
    keys, names = declare(columns.keys), quote(columns.keys)
    connection.execute(
        f'CREATE TABLE plan ("#place" INTEGER PRIMARY KEY, {keys}, "#episodes" INTEGER, "#cost" REAL, UNIQUE ({names}))'
    )
    connection.execute(
        f'CREATE TABLE blocks ({keys}, "#first" INTEGER, "#count" INTEGER, "#runner" TEXT, "#claimed" REAL, '
        f'"#finished" REAL, UNIQUE ({names}, "#first"))'
    )
    connection.execute(f"PRAGMA user_version = {LAYOUT}")


def _bring_up_to_date(connection: sqlite3.Connection, columns: Columns) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        found = layout_of(connection)
        if found == LAYOUT:
            return  # another process did it while this one waited
        there = table_types(connection)
        for name, kind in RESULTS.items():
            if name not in there:
                connection.execute(f'ALTER TABLE episodes ADD COLUMN "{name}" {kind}')
        if found == 1:
            connection.execute("ALTER TABLE study ADD COLUMN command TEXT")
            _create_books(connection, columns)
        elif found == 2:
            _rename_in_books(connection, columns)
        connection.execute("ALTER TABLE study ADD COLUMN about TEXT")
        connection.execute(f"PRAGMA user_version = {LAYOUT}")


def _rename_in_books(connection: sqlite3.Connection, columns: Columns) -> None:
    """Make the books of layout 2 anew, with the names that they have now; cells stay in their order."""
    kept = {"plan": ("episodes", "cost"), "blocks": ("first", "count", "runner", "claimed", "finished")}
    for table in kept:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    _create_books(connection, columns)
    keys = quote(columns.keys)
    for table, names in kept.items():
        here = quote(f"#{name}" for name in names)
        connection.execute(f"INSERT INTO {table} ({keys}, {here}) SELECT {keys}, {quote(names)} FROM old_{table}")
        connection.execute(f"DROP TABLE old_{table}")
