"""`chunkenv bench export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.bench.store.exporting import export as export_rows
from chunkenv.bench.store.reading import open_store
from chunkenv.cli.bench.study_options import DATABASE, RESULTS
from chunkenv.utils.extras import require


def export(
    folder: Annotated[Path, typer.Argument(help="The folder that a study wrote.")] = RESULTS / "delay",
    out: Annotated[Path | None, typer.Option(help="Folder for the files.", show_default="the same folder")] = None,
) -> None:
    """Write the rows of a study, finished or not, as CSV and Parquet: episodes, and decisions if it keeps them."""
    require("bench", "pyarrow")
    with open_store(folder / DATABASE) as store:
        for path in export_rows(store, folder if out is None else out):
            Console(highlight=False).print(f"{path}", soft_wrap=True)
