"""`chunkenv bench merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.bench.store.merging import merge as merge_files
from chunkenv.cli.bench.study_options import DATABASE


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders that the same study wrote.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="For the new database.")],
) -> None:
    """Put together what one study played in several folders, on several machines perhaps.

    The same rows may be in several folders; different rows of the same episode are refused.
    """
    path = out / DATABASE
    rows = merge_files([folder / DATABASE for folder in folders], path)
    Console(highlight=False).print(f"{rows} episodes  {path}", soft_wrap=True)
