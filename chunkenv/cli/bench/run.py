"""`chunkenv bench run`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from chunkenv.bench.analysis.groups import overall
from chunkenv.bench.report.tables import terminal_table
from chunkenv.bench.studies.user_study import load_study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.study_options import RESULTS, Address, Count, Executor, Overwrite
from chunkenv.cli.command_line import LARGEST_SEED, MOST_EPISODES, is_given, whole
from chunkenv.cli.console_tables import print_table


def run(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY.py", help="A Python file with `study` or make_study(); STUDY.py:NAME for another."
        ),
    ],
    episodes: Annotated[int, whole(help="Episodes of every cell.", default="the study's", at_most=MOST_EPISODES)] = 0,
    seed: Annotated[
        int,
        whole(
            help="Seed of the study: the same seed gives the same rows.", default="the study's", at_most=LARGEST_SEED
        ),
    ] = 0,
    workers: Count = 0,
    executor: Executor = "process",
    address: Address = None,
    keep_decisions: Annotated[
        bool, typer.Option("--keep-decisions", help="Keep a row of every decision, too; bench export writes them.")
    ] = False,
    overwrite: Overwrite = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For the database.", show_default="results/NAME of the study")
    ] = None,
) -> None:
    """Play a study of your own.

    Rows are kept as they come: after Ctrl-C, or a crash, the same command goes on from there. `chunkenv bench report`
    makes a page of them.
    """
    study = load_study(file)
    changes = {name: context.params[name] for name in ("episodes", "seed") if is_given(context, name)}
    study = dataclasses.replace(study, **changes, keep_decisions=study.keep_decisions or keep_decisions)
    play_study(context, study, show, out or RESULTS / study.name)


def show(played: Played) -> None:
    """A table over all tasks, and where things lie."""
    print_table(played.console, terminal_table(overall(played.store)))
    played.console.print(f"database  {played.store.path}", soft_wrap=True)
