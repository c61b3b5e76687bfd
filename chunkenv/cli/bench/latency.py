"""`chunkenv bench latency`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from chunkenv.bench.analysis.planned_delays import LateSetting, Planning, compare_plans
from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.delay_tables import points
from chunkenv.bench.store.latency_traces import FILE, read_traces, write_traces
from chunkenv.bench.studies import latency_study as settings
from chunkenv.bench.studies.latency_shapes import RECORDED, SHAPES, Recordings, draw_delays
from chunkenv.bench.studies.measured_latency import SHIPPED, record
from chunkenv.bench.studies.methods import PREDICTION_HORIZON
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.rtc import brief_percent, methods_table
from chunkenv.cli.bench.study_options import (
    RESULTS,
    Methods,
    Policies,
    Tasks,
    episodes_of,
    levels_of,
    methods_of,
    with_study_options,
)
from chunkenv.cli.command_line import is_given, read_names, read_numbers
from chunkenv.cli.console_tables import print_table
from chunkenv.latency import Trace, load_recording
from chunkenv.registration import POLICIES
from chunkenv.utils.extras import require

MEASURED_METHOD = "naive"
"""Whose inferences are the latency that is measured here."""


@with_study_options(settings.EPISODES, RESULTS / settings.NAME)
def latency(
    context: typer.Context,
    tasks: Tasks = "all",
    methods: Methods = None,
    latencies: Annotated[str, typer.Option(metavar="NAMES", help=f"Of {', '.join(SHAPES)}; or all.")] = "all",
    mean_delays: Annotated[str, typer.Option(metavar="LIST", help="Mean delays in ticks: 1,2 or 1-3.")] = "1-3",
    recording: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The recorded latency: of `chunkenv trace record`, or a number of seconds a line.",
            show_default="one of the package",
        ),
    ] = None,
    policies: Policies = POLICIES,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes a cell, 2 ticks on average.")
    ] = False,
) -> None:
    """Solve rate when delays vary: random, bursty and recorded latencies of the same means, by execution method.

    Every method plans with the expected delay, and with the largest: how long the prefix of a request is, and how often
    it asks. The latency `measured` is that of this machine, recorded at the first run (keep the machine idle for these
    seconds) and kept in `traces.json`; it and `recorded` are stretched to the mean delays.
    """
    require("agents")
    require("bench", "numba", "matplotlib")
    levels = levels_of(tasks)
    shapes = SHAPES if latencies == "all" else tuple(read_names(latencies))
    brief = quick and not is_given(context, "mean_delays")
    study = settings.latency_study(
        _recordings(shapes, recording, context.params["out"] / FILE, policies),
        tasks=levels,
        methods=methods_of(methods, policies, levels),
        latencies=shapes,
        mean_delays=settings.QUICK_MEAN_DELAYS if brief else read_numbers("--mean-delays", mean_delays),
        episodes=episodes_of(context, settings.QUICK_EPISODES),
        seed=context.params["seed"],
        policies=policies,
    )
    play_study(context, study, show)


def show(played: Played) -> None:
    """Tables in the terminal, the plot, and where things lie."""
    from chunkenv.bench.report.plots.plot_latency import plot_latency

    study, store, out, command, console = played
    solved = Solved(study, store, lambda cell: LateSetting(cell.method, cell.latency, cell.mean_delay, cell.plans_with))
    print_table(console, latency_table(study))
    print_table(console, rates_table(solved))
    print_table(console, planning_table(compare_plans(solved)))
    path = out / f"{study.name}.png"
    plot_latency(solved, path, caption(study, command))
    console.print(f"plot      {path}", soft_wrap=True)
    console.print(f"database  {store.path}", soft_wrap=True)


def latency_table(study: Study) -> Table:
    """The delays that each latency draws, and the execution horizons planned for them."""
    columns = ("latency", "mean", "95 %", "largest", "s, expected", "s, largest")
    table = Table(*columns, title="Delays in ticks, and the horizons planned", title_justify="left")
    recordings = study.settings["recordings"]
    for name, mean in dict.fromkeys((cell.latency, cell.mean_delay) for cell in study.cells):
        model, plans = settings.planned(name, mean, tuple(recordings.get(name, ())))
        delays = draw_delays(model)
        late = int(np.quantile(delays, 0.95, method="higher"))
        horizons = (f"{max(1, plans[plan].delay)}" for plan in settings.PLANS)
        table.add_row(name, f"{delays.mean():.2f}", f"{late}", f"{delays.max()}", *horizons)
    return table


def rates_table(solved: Solved[LateSetting]) -> Table:
    """Solve rates over all tasks: a line for each latency, mean delay and plan, a column for each method."""
    methods = list(dict.fromkeys(setting.method for setting in solved.settings))
    table = methods_table(["latency", "mean", "plans with"], methods, len(solved.tasks))
    for late in dict.fromkeys(setting[1:] for setting in solved.settings):
        rates = (brief_percent(solved.rate(LateSetting(method, *late))) for method in methods)
        table.add_row(*map(str, late), *rates)
    return table


def planning_table(found: Sequence[Planning]) -> Table:
    """What planning with the largest delay gains over the expected one, by method and latency, and what follows."""
    latencies = list(found[0].by_latency) if found else []
    title = "Solved with the largest delay planned, minus with the expected one: points (95 % interval), paired"
    table = Table("method", "plan with", "all", *latencies, title=title, title_justify="left")
    for each in found:
        table.add_row(each.method, each.better, points(each.overall), *map(points, each.by_latency.values()))
    return table


def caption(study: Study, command: str) -> str:
    """How the rows of the plot were made."""
    return (
        f"Flow policies: {study.settings['policies']}; chunks of {PREDICTION_HORIZON}, 30 ticks a second, action noise "
        f"{study.settings['action_noise']:g}; {study.episodes} episodes a task and point, seed {study.seed}; "
        f"bands: 95 % intervals (Wilson).  $ {command}"
    )


def _recordings(shapes: Sequence[str], recording: Path | None, measured: Path, policies: str) -> Recordings:
    """Seconds of the latencies that are replayed; what is measured is read again where it was before."""
    found: dict[str, Sequence[float]] = {}
    recorded, here = RECORDED
    if recorded in shapes:
        found[recorded] = (load_recording() if recording is None else Trace(recording)).seconds
    if here in shapes:
        if not measured.is_file():
            Console(highlight=False).print("Measuring what an inference takes here; keep the machine idle ...")
            write_traces(measured, {SHIPPED: record([MEASURED_METHOD], policies=policies)})
        found[here] = read_traces(measured)[SHIPPED][MEASURED_METHOD]
    return found
