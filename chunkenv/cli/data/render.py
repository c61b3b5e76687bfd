"""`chunkenv data render`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.command_line import whole
from chunkenv.cli.data.dataset_options import Folder
from chunkenv.cli.progress import progress_bar
from chunkenv.data.dataset import load
from chunkenv.utils.extras import require

Camera = Annotated[str, typer.Option(metavar="NAME", help="front_pixels, front, above, side or wrist.")]
ImageSize = Annotated[int, whole(help="Width and height in pixels, 64 to 224.")]
Geometry = Annotated[str, typer.Option(metavar="NAME", help="coarse, fine or full: how many triangles of the meshes.")]


def render(
    folder: Folder,
    camera: Camera = "front_pixels",
    image_size: ImageSize = 64,
    geometry: Geometry = "coarse",
) -> None:
    """Play a dataset of manipulation again, and keep a frame of every tick and an instruction of every episode."""
    require("manipulation")
    from chunkenv.collect.frame_rendering import render_frames

    dataset, console = load(folder), Console(highlight=False)
    total = len(dataset.episodes.length)
    with progress_bar(console, f"0/{total} episodes rendered", total) as move:
        saved = render_frames(
            folder, camera, image_size, geometry, lambda done, _: move(done, f"{done}/{total} episodes rendered")
        )
    console.print(f"frames   {len(saved)}, {image_size} pixels, {camera}, in {folder}/frames", soft_wrap=True)
