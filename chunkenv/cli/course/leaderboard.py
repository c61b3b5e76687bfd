"""`chunkenv course leaderboard`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.course.course_arguments import expect_folder


def leaderboard(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `grade --each` wrote.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = Path("leaderboard.html"),
    pseudonyms: Annotated[bool, typer.Option("--pseudonyms", help="Show no names.")] = False,
) -> None:
    """Rank submissions by what they solve under hidden latency models: one HTML file, with intervals."""
    expect_folder(folder)
    from chunkenv.course import write_standings

    count = write_standings(folder, out, pseudonyms)
    Console(highlight=False).print(f"{out}: {count} submission{'s' * (count != 1)}.", soft_wrap=True)
