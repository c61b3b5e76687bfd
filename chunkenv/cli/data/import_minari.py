"""`chunkenv data import`."""

from __future__ import annotations

from typing import Annotated

import typer

from chunkenv.cli.data.dataset_options import NewFolder, describe_size
from chunkenv.data.formats.minari import from_minari


def import_minari(
    dataset_id: Annotated[str, typer.Argument(metavar="ID", help="Of a local Minari dataset.")],
    folder: NewFolder,
) -> None:
    """Write a local dataset of Minari's in the plain form."""
    dataset = from_minari(dataset_id, folder)
    typer.echo(f"{folder}: {describe_size(dataset)}")
