"""`chunkenv course new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require


def new(
    number: Annotated[
        str | None,
        typer.Argument(
            metavar="N", help="The number of the assignment, or the folder of one of your own.", show_default=False
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="A folder, which is made.", show_default=False)
    ] = None,
    blank: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For instructors, in place of N and FOLDER: make a folder with an assignment of your own.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Begin an assignment: its text, and the template, as solution.py and as a notebook."""
    require("course")
    if blank is not None and number is None:
        return _begin_own(blank)
    if number is None or folder is None or blank is not None:
        raise ArgumentError("`chunkenv course new` takes either N and FOLDER, or --blank FOLDER alone.")
    return _begin(number, folder)


def _begin(number: str, folder: Path) -> None:
    from chunkenv.course import begin_assignment, find_assignment

    assignment = find_assignment(number)
    begin_assignment(assignment, folder)
    _say(
        f"{assignment.title}: read {folder / 'text.md'}, fill in solution.py (or the notebook), then run",
        f"chunkenv course check {number} {folder}",
    )


def _begin_own(folder: Path) -> None:
    from chunkenv.course import begin_blank

    begin_blank(folder)
    _say(
        f"{folder}: change text.md, template.py, tests.py and reference/solution.py, which has to get 100 points:",
        f"chunkenv course grade {folder} {folder / 'reference'}",
        f"chunkenv course pack {folder}",
    )


def _say(sentence: str, *commands: str) -> None:
    console = Console(highlight=False)
    console.print(sentence, soft_wrap=True, markup=False)
    for command in commands:
        console.print(f"  {command}", soft_wrap=True, markup=False)
