"""What every command that plays a study does: find its rows, play the rest under a progress bar, show the result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console

from chunkenv.bench.run.block_queue import missing_blocks
from chunkenv.bench.run.runner import StudyError, run_study
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Study, Unit
from chunkenv.cli.bench.study_options import DATABASE, SHOW_ONLY, workers_of
from chunkenv.cli.command_line import command_line
from chunkenv.cli.interrupts import say_if_interrupted
from chunkenv.cli.progress import progress_bar


class Played(NamedTuple):
    """A study that was played to its end: what is shown, and where."""

    study: Study
    store: Store
    out: Path
    command: str
    console: Console


def play_study(context: typer.Context, study: Study, show: Callable[[Played], None], out: Path | None = None) -> None:
    """Play what is missing of a study, then show it.

    Args:
        context: of the command, which has the options `workers`, `overwrite` and `out` of `study_options.py`.
        study: what to play.
        show: gets the rows when all are there.
        out: the folder, if it is not what the option `out` says.

    Raises:
        ArgumentError: an option or a folder that is invalid.
        StudyError: if the study failed; it says before what is kept.
        typer.Exit: after Ctrl-C, SIGTERM or SIGHUP, having said what is kept.
    """
    workers, console = workers_of(context), Console(highlight=False)
    command = command_line("bench", context, SHOW_ONLY)
    folder = out or context.params["out"]
    with Store(folder / DATABASE, study.cell, study.results) as store:
        if context.params["overwrite"]:
            store.clear()
        _play(study, store, run_study(study, store, workers, command), console)
        show(Played(study, store, folder, command, console))


def _play(study: Study, store: Store, units: Generator[Unit, None, None], console: Console) -> None:
    """Play what is missing; if that ends early, print how much is kept."""
    there, count = _count_kept(study, store)
    if there:
        console.print(f"{there} of {count} episodes are there already.")
    if there == count:
        return
    try:
        with say_if_interrupted(console, lambda: f"{_describe_kept(study, store)}."):
            _warm_up(study)
            _show_progress(units, study, store, console)
    except StudyError:
        sentence = f"Failed: {_describe_kept(study, store)}; if the study's code must change, add --overwrite."
        console.print(sentence, soft_wrap=True, markup=False)
        raise


def _describe_kept(study: Study, store: Store) -> str:
    kept, count = _count_kept(study, store)
    return f"{kept} of {count} episodes are kept in {store.path}. The same command goes on from there"


def _count_kept(study: Study, store: Store) -> tuple[int, int]:
    """How many episodes are kept, and how many the study has."""
    return sum(store.counts(study).values()), len(study.cells) * study.episodes


def _warm_up(study: Study) -> None:
    """Make one environment and policy here, so that kernels are compiled once and a missing extra is named first."""
    if study.make_policy is not None:
        study.make_policy(study.cells[0])
    if study.make_env is not None:
        study.make_env(study.cells[0]).close()


def _show_progress(units: Generator[Unit, None, None], study: Study, store: Store, console: Console) -> None:
    """Play the units under a bar that counts work, because episodes differ in length."""
    todo = [unit for block in missing_blocks(study, store) for unit in block.units]
    work = {cell: study.cost(cell) for cell in study.cells}
    total = sum(work[unit.cell] for unit in todo)

    def text(episodes: int) -> str:
        return f"{episodes} of {len(todo)} episodes"

    with progress_bar(console, text(0), total) as move, contextlib.closing(units):
        worked = 0.0
        for episodes, unit in enumerate(units, start=1):
            worked += work[unit.cell]
            move(worked, text(episodes))
