"""`chunkenv data export`."""

from __future__ import annotations

from typing import Annotated

import typer

from chunkenv.cli.data.dataset_options import Folder
from chunkenv.data.dataset import load
from chunkenv.data.formats.minari import to_minari
from chunkenv.data.saved_frames import SavedFrames, has_frames


def export(
    folder: Folder,
    dataset_id: Annotated[str, typer.Argument(metavar="ID", help="For Minari, such as kinetix/catapult-v0.")],
) -> None:
    """Write a dataset as one of Minari's, among its local ones; with its frames, if it has some."""
    frames = SavedFrames(folder) if has_frames(folder) else None
    written = to_minari(load(folder), dataset_id, frames)
    typer.echo(f"{dataset_id}: {written.total_episodes} episodes, {written.total_steps} transitions.")
