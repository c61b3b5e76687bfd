"""`chunkenv data import-ogbench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chunkenv.cli.data.dataset_options import NewFolder, describe_size


def import_ogbench(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="An npz file that ogbench published.")],
    task: Annotated[str, typer.Argument(help="The manipulation task whose rewards it gets, or its id.")],
    folder: NewFolder,
    reward: Annotated[str, typer.Option(metavar="NAME", help="count or sparse.")] = "count",
) -> None:
    """Write a dataset that ogbench published in the plain form, with the rewards of a task."""
    from chunkenv.data.formats.ogbench import from_ogbench

    dataset = from_ogbench(path, task, folder, reward)
    typer.echo(f"{folder}: {describe_size(dataset)}")
