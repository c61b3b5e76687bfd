"""What the commands of the course share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require

Number: TypeAlias = Annotated[
    str, typer.Argument(metavar="N", help="The number of the assignment, or the folder of one of your own.")
]
Submission: TypeAlias = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with solution.py.")]


def expect_folder(folder: Path) -> None:
    """Refuse what is no folder.

    Raises:
        ArgumentError: it is none.
        MissingExtraError: the grader is not installed.
    """
    require("course", "psutil")
    if not folder.is_dir():
        raise ArgumentError(f"{folder} is no folder; give the one with solution.py.")
