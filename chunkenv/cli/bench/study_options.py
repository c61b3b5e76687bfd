"""Options that several commands have, and how their text is read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from chunkenv.bench.run.runner import Workers, checked
from chunkenv.errors import ArgumentError

DATABASE = "episodes.sqlite"
RESULTS = Path("results")
SHOW_ONLY = ("out", "workers", "overwrite", "executor", "address")
"""Options that change no row."""


def number(text: str) -> int:
    """What an option says that is a whole number.

    Raises:
        ArgumentError: if it is none.
    """
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentError(f"{text!r} is not a whole number.") from error


def whole(text: str, default: str | None = None) -> Any:
    """An option that is a whole number, refused in one sentence if it is none."""
    return typer.Option(help=text, metavar="N", parser=number, show_default=default or True)


Episodes = Annotated[int, whole("Episodes of every cell: of each task, method, delay and horizon.")]
Seed = Annotated[int, whole("Seed of the study: the same seed gives the same rows.")]
Count = Annotated[int, whole("Processes; they change nothing but the time.", "one a core")]
Executor = Annotated[str, typer.Option(metavar="NAME", help="Where workers run: process (here) or ray.")]
Address = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A Ray cluster that runs already.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away the rows that are there.")]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="For the database and the plots.")]


def names(text: str) -> list[str]:
    """The names of a list with commas.

    >>> names("catapult, car_launch")
    ['catapult', 'car_launch']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers(option: str, text: str) -> list[int]:
    """The numbers of a list like 0,2,4 or 0-4.

    Raises:
        ArgumentError: if it is no such list.

    >>> numbers("--delays", "0,2-4")
    [0, 2, 3, 4]
    """
    found: list[int] = []
    for part in names(text):
        match = re.fullmatch(r"(-?\d{1,4})(?:-(\d{1,4}))?", part)
        if not match:
            raise ArgumentError(f"{option} {text!r} is no list of whole numbers; write, for example, 0,2,4 or 0-4.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ArgumentError(f"{option} {text!r} runs backwards; write, for example, 0-4.")
        found += range(first, last + 1)
    return found


def given(context: typer.Context, name: str) -> bool:
    """Whether an option was written, even with its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def episodes_of(context: typer.Context, quick: int) -> int:
    """What `--episodes` says, or `--quick` means.

    Raises:
        ArgumentError: if both are given.
    """
    if context.params["quick"] and given(context, "episodes"):
        raise ArgumentError(f"--quick means --episodes {quick}; give one of the two.")
    return quick if context.params["quick"] else context.params["episodes"]


def workers_of(context: typer.Context) -> Workers:
    """What `--workers`, `--executor` and `--address` say.

    Raises:
        ArgumentError: if it cannot be meant.
    """
    count = context.params["workers"] if given(context, "workers") else None
    return checked(Workers(count, context.params["executor"], context.params["address"]))


def command_line(context: typer.Context) -> str:
    """The command that makes the same rows again, without the folder that they were written to."""
    words = ["chunkenv bench", str(context.info_name)]
    for parameter in context.command.params:
        name, value = str(parameter.name), context.params.get(str(parameter.name))
        if given(context, name) and name not in SHOW_ONLY:
            option = [max(parameter.opts, key=len)] if parameter.param_type_name == "option" else []
            words += option if value is True else [*option, shlex.quote(str(value))]
    return " ".join(words)
