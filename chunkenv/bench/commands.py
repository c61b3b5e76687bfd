"""`chunkenv bench`: play studies, look at them, export their rows."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chunkenv.bench.analysis import rows_of
from chunkenv.bench.export import export as export_rows
from chunkenv.bench.extras import require
from chunkenv.bench.report import pooled_table, task_table
from chunkenv.bench.runner import missing_units, run
from chunkenv.bench.settings import delay as settings
from chunkenv.bench.store import Store
from chunkenv.bench.study import Study, Unit
from chunkenv.checks import whole_number
from chunkenv.errors import ArgumentError

DATABASE = "episodes.sqlite"
RESULTS = Path("results") / settings.NAME


def _whole(text: str, default: str | None = None) -> Any:
    """An option that is a whole number, refused in one sentence if it is none."""
    return typer.Option(help=text, metavar="N", parser=_number, show_default=default or True)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentError(f"{text!r} is not a whole number.") from error


app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Play studies, look at them, export their rows."
)


@app.command()
def delay(
    context: typer.Context,
    tasks: Annotated[str, typer.Option(metavar="NAMES", help="Levels, separated by commas, or all.")] = "all",
    methods: Annotated[str, typer.Option(metavar="NAMES", help="Policies.")] = ",".join(settings.METHODS),
    delays: Annotated[str, typer.Option(metavar="LIST", help="Inference delays in ticks: 0,2,4 or 0-4.")] = "0-4",
    horizons: Annotated[str, typer.Option(metavar="LIST", help="Execution horizons: ticks between inferences.")] = "4",
    prediction_horizon: Annotated[int, _whole("Rows in a chunk.")] = settings.PREDICTION_HORIZON,
    episodes: Annotated[int, _whole("Episodes of each task, method, delay and horizon.")] = settings.EPISODES,
    seed: Annotated[int, _whole("Seed of the study: the same seed gives the same rows.")] = 0,
    workers: Annotated[int, _whole("Processes; they change nothing but the time.", "one a core")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes: a few minutes.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Throw away the rows that are there.")] = False,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="For the database and the plot.")] = RESULTS,
) -> None:
    """Solve rate of the Kinetix tasks against inference delay, for planners that know the prefix and that don't.

    Every combination of tasks, delays, horizons and methods is a cell, played for some episodes. Rows are kept as they
    come: after Ctrl-C, or a crash, the same command goes on from there.
    """
    require("bench", "numba", "matplotlib")
    if quick and _given(context, "episodes"):
        raise ArgumentError(f"--quick means --episodes {settings.QUICK_EPISODES}; give one of the two.")
    study = settings.delay_study(
        tasks=settings.TASKS if tasks == "all" else _names(tasks),
        methods=_names(methods),
        delays=_numbers("--delays", delays),
        execution_horizons=_numbers("--horizons", horizons),
        prediction_horizon=prediction_horizon,
        episodes=settings.QUICK_EPISODES if quick else episodes,
        seed=seed,
    )
    count = whole_number("workers", workers, at_least=1) if _given(context, "workers") else _cores()
    console = Console(highlight=False)
    with Store(out / DATABASE) as store:
        if overwrite:
            store.clear()
        play(study, store, count, console)
        show(study, store, out, _command(context), console)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="The folder that a study wrote.")] = RESULTS,
    out: Annotated[Path | None, typer.Option(help="Folder for the files.", show_default="the same folder")] = None,
) -> None:
    """Write the rows of a study, finished or not, as CSV and Parquet."""
    require("bench", "pyarrow")
    if not (folder / DATABASE).is_file():
        raise ArgumentError(f"{folder} has no {DATABASE}; give the folder that `chunkenv bench delay` wrote.")
    with Store(folder / DATABASE) as store:
        for path in export_rows(store, folder if out is None else out):
            Console(highlight=False).print(f"{path}", soft_wrap=True)


def play(study: Study, store: Store, workers: int, console: Console) -> None:
    """Play what is missing under a progress bar.

    Raises:
        typer.Exit: with code 130 after Ctrl-C, having said what is kept.
    """
    units = run(study, store, workers)
    todo, count = missing_units(study, store), len(study.units)
    if len(todo) < count:
        console.print(f"{count - len(todo)} of {count} episodes are there already.")
    if not todo:
        return
    try:
        _warm_up(study)
        _show_progress(units, study, todo, console)
    except KeyboardInterrupt as error:
        kept = count - len(missing_units(study, store))
        console.print(f"Interrupted: {kept} of {count} episodes are kept in {store.path}.", soft_wrap=True)
        console.print("The same command goes on from there.")
        raise typer.Exit(130) from error


def show(study: Study, store: Store, out: Path, command: str, console: Console) -> None:
    """Tables in the terminal, a plot for each execution horizon, and where things lie."""
    from chunkenv.bench.plot import plot_delay

    rows = rows_of(study, store.rows())
    console.print(task_table(rows), pooled_table(rows), sep="\n")
    horizons = sorted({row["execution_horizon"] for row in rows})
    for horizon in horizons:
        path = out / (f"{study.name}.png" if len(horizons) == 1 else f"{study.name}-{horizon}.png")
        plot_delay([row for row in rows if row["execution_horizon"] == horizon], path, caption(study, horizon, command))
        console.print(f"plot      {path}", soft_wrap=True)
    console.print(f"database  {store.path}", soft_wrap=True)


def caption(study: Study, horizon: int, command: str) -> str:
    """How the rows of a plot were made."""
    plural = "s" * (study.episodes != 1)
    return (
        f"Sampling planner; {study.episodes} episode{plural} a task and point, seed {study.seed}; a chunk of "
        f"{study.cells[0].prediction_horizon} rows every {horizon} ticks; action noise "
        f"{study.settings['action_noise']:g}.  $ {command}"
    )


def _warm_up(study: Study) -> None:
    """Make one environment and policy here: what is compiled is compiled once, and what is missing is said at once."""
    study.make_policy(study.cells[0])
    study.make_env(study.cells[0]).close()


def _show_progress(units: Generator[Unit, None, None], study: Study, todo: list[Unit], console: Console) -> None:
    """Play the units under a bar that counts work, not episodes: they differ in length."""
    columns = (
        TextColumn("{task.fields[done]} of {task.fields[count]} episodes"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    work = {unit.cell: study.cost(unit.cell) for unit in todo}
    with Progress(*columns, console=console, speed_estimate_period=120) as progress, contextlib.closing(units):
        bar = progress.add_task("", total=sum(work[unit.cell] for unit in todo), done=0, count=len(todo))
        for done, unit in enumerate(units, start=1):
            progress.update(bar, advance=work[unit.cell], done=done)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(option: str, text: str) -> list[int]:
    """The numbers of a list like 0,2,4 or 0-4.

    >>> _numbers("--delays", "0,2-4")
    [0, 2, 3, 4]
    """
    numbers: list[int] = []
    for part in _names(text):
        match = re.fullmatch(r"(-?\d{1,4})(?:-(\d{1,4}))?", part)
        if not match:
            raise ArgumentError(f"{option} {text!r} is no list of whole numbers; write, for example, 0,2,4 or 0-4.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ArgumentError(f"{option} {text!r} runs backwards; write, for example, 0-4.")
        numbers += range(first, last + 1)
    return numbers


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _command(context: typer.Context) -> str:
    """The command line that makes the same rows again, without the folder that they were written to."""
    words = ["chunkenv bench", str(context.info_name)]
    for name, value in context.params.items():
        if _given(context, name) and name not in ("out", "workers", "overwrite"):
            option = "--" + name.replace("_", "-")
            words.append(option if value is True else f"{option} {value}")
    return " ".join(words)
