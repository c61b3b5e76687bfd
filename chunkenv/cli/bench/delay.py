"""`chunkenv bench delay`."""

from __future__ import annotations

from typing import Annotated

import typer

from chunkenv.bench.analysis.solve_rates import rows_of
from chunkenv.bench.report.delay_tables import pooled_table, task_table
from chunkenv.bench.studies import delay_study as settings
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.study_options import (
    RESULTS,
    Tasks,
    episodes_of,
    levels_of,
    with_study_options,
)
from chunkenv.cli.command_line import LONGEST, read_names, read_numbers, whole
from chunkenv.cli.console_tables import print_table
from chunkenv.utils.extras import require


@with_study_options(settings.EPISODES, RESULTS / settings.NAME)
def delay(
    context: typer.Context,
    tasks: Tasks = "all",
    methods: Annotated[str, typer.Option(metavar="NAMES", help="Policies.")] = ",".join(settings.METHODS),
    delays: Annotated[str, typer.Option(metavar="LIST", help="Inference delays in ticks: 0,2,4 or 0-4.")] = "0-4",
    horizons: Annotated[str, typer.Option(metavar="LIST", help="Execution horizons: ticks between inferences.")] = "4",
    prediction_horizon: Annotated[int, whole(help="Rows in a chunk.", at_most=LONGEST)] = settings.PREDICTION_HORIZON,
    quick: Annotated[bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes: a few minutes.")] = False,
) -> None:
    """Solve rate of the Kinetix tasks against inference delay, for planners that know the prefix and that don't.

    Every combination of tasks, delays, horizons and methods is a cell, played for some episodes. Rows are kept as they
    come: after Ctrl-C, or a crash, the same command goes on from there.
    """
    require("bench", "numba", "matplotlib")
    study = settings.delay_study(
        tasks=levels_of(tasks),
        methods=read_names(methods),
        delays=read_numbers("--delays", delays),
        execution_horizons=read_numbers("--horizons", horizons),
        prediction_horizon=prediction_horizon,
        episodes=episodes_of(context, settings.QUICK_EPISODES),
        seed=context.params["seed"],
    )
    play_study(context, study, show)


def show(played: Played) -> None:
    """Tables in the terminal, a plot for each execution horizon, and where things lie."""
    from chunkenv.bench.report.plots.plot_delay import plot_delay

    study, store, out, command, console = played
    rows = rows_of(study, store.rows())
    print_table(console, task_table(rows))
    print_table(console, pooled_table(rows))
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
