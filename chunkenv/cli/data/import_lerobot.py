"""`chunkenv data import-lerobot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chunkenv.cli.data.dataset_options import NewFolder, describe_size


def import_lerobot(
    path: Annotated[Path, typer.Argument(metavar="LEROBOT", help="A folder of LeRobot's, v2.1 or v3.0.")],
    folder: NewFolder,
) -> None:
    """Write a data set of LeRobot's in the plain form, with the tasks as instructions; videos are not read."""
    from chunkenv.data.formats.lerobot import from_lerobot

    dataset = from_lerobot(path, folder)
    typer.echo(f"{folder}: {describe_size(dataset)}")
