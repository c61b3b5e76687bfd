"""The rows of a study as CSV and Parquet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from chunkenv.bench.store.study_store import Store, make_folder
from chunkenv.bench.store.whole_files import write_whole
from chunkenv.errors import ArgumentError


def export(store: Store, folder: Path) -> list[Path]:
    """Write all rows into `folder`, which is made if need be: `episodes.csv` and `episodes.parquet`.

    Rows are in the order of the cells, with a column for each part. A file appears whole or not at all. In the CSV,
    truths are `true` or `false`; what is not known or was not measured is empty.

    Returns:
        The paths of the two files.

    Raises:
        ArgumentError: if there are no rows, or the folder cannot be written.
        MissingExtraError: if pyarrow is missing.
    """
    import pyarrow
    import pyarrow.parquet

    rows = store.rows()
    if not rows:
        raise ArgumentError(f"{store.path} holds no episodes yet; there is nothing to export.")
    # Said, not guessed: a column of nothing but None would not stack with those of other studies.
    kinds = {
        "INTEGER": pyarrow.int64(),
        "REAL": pyarrow.float64(),
        "TEXT": pyarrow.string(),
        "BOOLEAN": pyarrow.bool_(),
    }
    types = {name: kinds[kind.split()[0]] for name, kind in store.columns.all.items()}
    table = pyarrow.Table.from_pylist(rows, pyarrow.schema(list(types.items())))
    make_folder(folder)
    paths = [folder / "episodes.csv", folder / "episodes.parquet"]
    write_whole(paths[0], lambda path: _write_csv(path, rows))
    write_whole(paths[1], lambda path: pyarrow.parquet.write_table(table, path))
    return paths


def _write_csv(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)


def _plain(value: Any) -> Any:
    """A value as a CSV reader of any language takes it; None becomes nothing."""
    return str(value).lower() if isinstance(value, bool) else value
