"""`chunkenv course pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.course.course_arguments import Number
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require


def pack(
    number: Number,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The zip.", show_default="assignment-N.zip")] = None,
    wheel: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A wheel of this package to install.", show_default="the released package"),
    ] = None,
) -> None:
    """Make the zip that Gradescope asks for: it installs this package and grades with all tests."""
    require("course")
    from chunkenv.course import find_assignment, pack_assignment

    if wheel is not None and (wheel.suffix != ".whl" or not wheel.is_file()):
        raise ArgumentError(f"--wheel {wheel} is no wheel; make one with `python -m build --wheel`.")
    assignment = find_assignment(number)
    name = assignment.folder.resolve().name if assignment.is_own else number
    path = Path(f"assignment-{name}.zip") if out is None else out
    pack_assignment(assignment, path, wheel)
    Console(highlight=False).print(f"{path}: upload it to Gradescope as the autograder.", soft_wrap=True)
