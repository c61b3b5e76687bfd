"""Options that several commands for studies have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chunkenv.bench.run.runner import Workers, check_workers
from chunkenv.cli.command_line import LARGEST_SEED, MOST_EPISODES, MOST_WORKERS, is_given, whole
from chunkenv.errors import ArgumentError

DATABASE = "episodes.sqlite"
RESULTS = Path("results")
SHOW_ONLY = ("out", "workers", "overwrite", "executor", "address")
"""Options that change no row."""


Episodes = Annotated[
    int, whole(help="Episodes of every cell: of each task, method, delay and horizon.", at_most=MOST_EPISODES)
]
Seed = Annotated[int, whole(help="Seed of the study: the same seed gives the same rows.", at_most=LARGEST_SEED)]
Count = Annotated[
    int, whole(help="Processes; they change nothing but the time.", default="one a core", at_most=MOST_WORKERS)
]
Executor = Annotated[str, typer.Option(metavar="NAME", help="Where workers run: process (here) or ray.")]
Address = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A Ray cluster that runs already.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away the rows that are there.")]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="For the database and the plots.")]


def episodes_of(context: typer.Context, quick: int) -> int:
    """What `--episodes` says, or `--quick` means.

    Raises:
        ArgumentError: if both are given.
    """
    if context.params["quick"] and is_given(context, "episodes"):
        raise ArgumentError(f"--quick means --episodes {quick}; give one of the two.")
    return quick if context.params["quick"] else context.params["episodes"]


def workers_of(context: typer.Context) -> Workers:
    """What `--workers`, `--executor` and `--address` say; the last two are not there in every command.

    Raises:
        ArgumentError: if it is invalid.
    """
    chosen = context.params
    count = chosen["workers"] if is_given(context, "workers") or chosen["workers"] else None  # 0 is one a core
    return check_workers(Workers(count, chosen.get("executor", "process"), chosen.get("address")))
