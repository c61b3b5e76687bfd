"""The rows of a study as CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from chunkenv.bench.store.study_store import Store, make_folder
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Row
from chunkenv.utils.files import atomic_file


def export(store: Store, folder: Path) -> list[Path]:
    """Write all rows into `folder`, which is made if need be: `episodes.csv` and `episodes.parquet`.

    A store that keeps decisions gives `decisions.csv` and `decisions.parquet`, too. Rows are in the order of the cells,
    with a column for each part. Files are written atomically. In the CSV, truths are `true` or `false`; what is not
    known or was not measured is empty.

    Returns:
        The paths of the two files, or of all four.

    Raises:
        ArgumentError: if there are no rows, or the folder cannot be written.
        MissingExtraError: if pyarrow is missing.
    """
    rows = store.rows()
    if not rows:
        raise ArgumentError(f"{store.path} holds no episodes yet; there is nothing to export.")
    make_folder(folder)
    paths = _write(folder / "episodes", rows, store.columns.all)
    if decisions := store.decisions():
        paths += _write(folder / "decisions", decisions, store.columns.decisions)
    return paths


def _write(path: Path, rows: list[Row], columns: Mapping[str, str]) -> list[Path]:
    """Rows as two files of one name; the paths of both."""
    import pyarrow
    import pyarrow.parquet

    # Said, not guessed: a column of nothing but None would not stack with those of other studies.
    kinds = {
        "INTEGER": pyarrow.int64(),
        "REAL": pyarrow.float64(),
        "TEXT": pyarrow.string(),
        "BOOLEAN": pyarrow.bool_(),
    }
    types = {name: kinds[kind.split()[0]] for name, kind in columns.items()}
    table = pyarrow.Table.from_pylist(rows, pyarrow.schema(list(types.items())))
    paths = [path.with_suffix(suffix) for suffix in (".csv", ".parquet")]
    with atomic_file(paths[0]) as file:
        file.write(_to_csv(rows).encode())
    with atomic_file(paths[1]) as file:
        pyarrow.parquet.write_table(table, file)
    return paths


def _to_csv(rows: list[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows({name: _portable(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _portable(value: object) -> object:
    """A value as a CSV reader of any language takes it; None becomes nothing."""
    return str(value).lower() if isinstance(value, bool) else value
