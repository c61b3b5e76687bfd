"""`chunkenv course new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.course.course_arguments import Number
from chunkenv.utils.extras import require


def new(
    number: Number,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder, which is made.")],
) -> None:
    """Begin an assignment: its text, and the template, as solution.py and as a notebook."""
    require("course")
    from chunkenv.course import begin_assignment, find_assignment

    assignment = find_assignment(number)
    begin_assignment(assignment, folder)
    console = Console(highlight=False)
    console.print(
        f"{assignment.title}: read {folder / 'text.md'}, fill in solution.py (or the notebook), then run",
        soft_wrap=True,
    )
    console.print(f"  chunkenv course check {number} {folder}", soft_wrap=True, markup=False)
