"""The rows of several databases of one study in a new one: parts that were played on several machines."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from chunkenv.bench.store.columns import quote
from chunkenv.bench.store.decision_table import DecisionTable
from chunkenv.bench.store.reading import open_store
from chunkenv.bench.store.schema import NOTED
from chunkenv.bench.store.study_store import Store, identity
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_path


def merge(paths: Sequence[Path], out: Path) -> int:
    """Write the rows of several databases into a new one, atomically.

    Args:
        paths: of the databases, at least two. The same row may be in several.
        out: of the new one.

    Returns:
        How many rows it has.

    Raises:
        ArgumentError: if the databases are not of the same study (name, seed, settings, columns, code), or have
            different rows of the same episode; or if there is a file at `out`.
    """
    if len(paths) < 2:
        raise ArgumentError("there is nothing to merge; give at least two folders that the same study wrote.")
    if out.exists():
        raise ArgumentError(f"{out} is there already; choose another folder with --out.")
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(open_store(path)) for path in paths]
        for store in stores:
            _refuse_another_study(stores[0], store)
        with atomic_path(out) as partial:
            return _write_rows(stores, partial)


def _refuse_another_study(first: Store, other: Store) -> None:
    if not other.runs():
        raise ArgumentError(f"{other.path} holds no episodes yet; leave it out.")
    mine, theirs = identity(first.runs()[0]), identity(other.runs()[0])
    mine["columns"], theirs["columns"] = first.columns.all, other.columns.all
    mine["keep_decisions"], theirs["keep_decisions"] = first.keeps_decisions, other.keeps_decisions
    for what, here in mine.items():
        if theirs[what] != here:
            raise ArgumentError(
                f"{other.path} cannot be merged with {first.path}: {what} is {theirs[what]!r} there, {here!r} here."
            )


def _write_rows(stores: Sequence[Store], path: Path) -> int:
    """Fill a new database; the number of its rows."""
    with contextlib.closing(stores[0].copy(path)) as connection:
        connection.execute("DELETE FROM blocks")  # whose times are of several machines
        connection.commit()
        for store in stores[1:]:
            connection.execute("ATTACH ? AS other", (str(store.path),))
            with connection:
                _add(connection, stores[0], store.path)
            connection.execute("DETACH other")
        return connection.execute("SELECT COUNT(*) FROM episodes").fetchone()[0]


def _add(connection: sqlite3.Connection, first: Store, path: Path) -> None:
    """Add what the attached database has: decisions, rows, plan, notes about runs."""
    _refuse_other_rows(connection, first, path)
    if first.keeps_decisions:
        DecisionTable(connection, first.columns).add_from_other()
    names, keys = quote(first.columns.all), quote(first.columns.keys)
    connection.execute(f"INSERT OR IGNORE INTO episodes ({names}) SELECT {names} FROM other.episodes")
    planned = f'{keys}, "#episodes", "#cost"'
    connection.execute(
        f"INSERT INTO plan ({planned}) SELECT {planned} FROM other.plan WHERE true ON CONFLICT ({keys}) "
        'DO UPDATE SET "#episodes" = MAX(plan."#episodes", excluded."#episodes")'
    )
    noted = quote(NOTED)
    connection.execute(
        f"INSERT INTO study ({noted}) SELECT {noted} FROM other.study EXCEPT SELECT {noted} FROM main.study"
    )


def _refuse_other_rows(connection: sqlite3.Connection, first: Store, path: Path) -> None:
    names = list(first.columns.all)
    unit = [*first.columns.keys, "episode"]
    same = " AND ".join(f'a."{name}" = b."{name}"' for name in unit)
    differs = " OR ".join(f'a."{name}" IS NOT b."{name}"' for name in names)
    both = ", ".join(f'{table}."{name}"' for table in "ab" for name in names)
    query = f"SELECT {both} FROM main.episodes a JOIN other.episodes b ON {same} WHERE {differs} LIMIT 1"
    found = connection.execute(query).fetchone()
    if found is None:
        return
    here, there = (dict(zip(names, part, strict=True)) for part in (found[: len(names)], found[len(names) :]))
    name = next(name for name in names if here[name] != there[name])
    where = ", ".join(f"{key} {here[key]}" for key in unit)
    raise ArgumentError(
        f"{path} has another row than {first.path} of {where}: {name} is {there[name]!r} there, {here[name]!r} here; "
        "one of them was not made by this study."
    )
