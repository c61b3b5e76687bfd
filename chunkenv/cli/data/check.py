"""`chunkenv data check`."""

from __future__ import annotations

from typing import Annotated

import typer

from chunkenv.cli.command_line import whole
from chunkenv.cli.data.dataset_options import Folder, describe_size
from chunkenv.data.check import check_dataset
from chunkenv.data.dataset import load
from chunkenv.data.saved_frames import check_frames


def check(
    folder: Folder,
    replay: Annotated[int, whole(help="Also play N episodes again, and expect the same to the bit.")] = 0,
) -> None:
    """Verify checksums, shapes, numbers, and where episodes begin and end; exit with 1 if anything is wrong."""
    dataset = load(folder)
    problems = [*check_dataset(folder), *check_frames(folder, dataset)]
    if replay and not problems:
        from chunkenv.data.verify import verify_episodes

        problems = verify_episodes(dataset, replay)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{folder} is sound: {describe_size(dataset)}")
