"""`chunkenv bench charged`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.store.latency_traces import FILE, read_traces, write_traces
from chunkenv.bench.studies import charged_study as settings
from chunkenv.bench.studies.methods import METHODS, flow_policy
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.rtc import brief_percent, methods_table
from chunkenv.cli.bench.study_options import (
    RESULTS,
    Address,
    Count,
    Episodes,
    Executor,
    Out,
    Overwrite,
    Seed,
    episodes_of,
)
from chunkenv.cli.command_line import read_names, read_real
from chunkenv.cli.console_tables import print_table
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require


def charged(
    context: typer.Context,
    tasks: Annotated[str, typer.Option(metavar="NAMES", help="Levels, separated by commas, or all.")] = "all",
    methods: Annotated[str, typer.Option(metavar="NAMES", help="Execution methods, or all.")] = "all",
    slowdowns: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Times as slow as measured: 1,50,100.", show_default="by the fastest method"),
    ] = None,
    traces: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Latencies that were recorded before.", show_default=f"{FILE} in the folder"),
    ] = None,
    episodes: Episodes = settings.EPISODES,
    seed: Seed = 0,
    workers: Count = 0,
    executor: Executor = "process",
    address: Address = None,
    quick: Annotated[bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes a cell.")] = False,
    overwrite: Overwrite = False,
    out: Out = RESULTS / settings.NAME,
) -> None:
    """Solve rate when every execution method is charged the time that it takes itself, on a slower and slower policy.

    First the latency of each method is measured (keep the machine idle for that minute) and kept in `traces.json`; a
    simulated clock then replays it, so that the study repeats. 30 control steps a second.
    """
    require("agents")
    require("bench", "numba", "matplotlib")
    chosen = tuple(METHODS) if methods == "all" else read_names(methods)
    study = settings.charged_study(
        _traces(out / FILE if traces is None else traces, record=traces is None),
        tasks=settings.LEVELS if tasks == "all" else read_names(tasks),
        methods=chosen,
        slowdowns=None if slowdowns is None else _read_slowdowns(slowdowns),
        episodes=episodes_of(context, settings.QUICK_EPISODES),
        seed=seed,
    )
    play_study(context, study, show)


def show(played: Played) -> None:
    """Tables in the terminal, the plot, and where things lie."""
    from chunkenv.bench.report.plot_charged import Slowed, plot_charged

    study, store, out, command, console = played
    solved = Solved(study, store, lambda cell: Slowed(cell.method, cell.slowdown))
    traces = study.settings["traces"]
    print_table(console, latency_table(traces))
    print_table(console, rates_table(solved))
    path = out / f"{study.name}.png"
    plot_charged(solved, traces, settings.CONTROL_DT, path, caption(study, command))
    console.print(f"plot      {path}", soft_wrap=True)
    console.print(f"database  {store.path}", soft_wrap=True)


def latency_table(traces: settings.Traces) -> Table:
    """What a chunk of each method costs: seconds as measured, and by count."""
    columns = ("method", "median, ms", "95 %, ms", "times naive", "evaluations", "VJPs", "MFLOP")
    table = Table(*columns, title="One inference, as measured", title_justify="left")
    base = np.median(traces["naive"]) if "naive" in traces else np.nan
    for method, trace in traces.items():
        way = METHODS[method]
        cost = way.strategy(flow_policy(settings.MEASURED_ON, way.weights)).cost
        median, late = np.median(trace), np.quantile(trace, 0.95)
        flops = "" if cost.flops is None else f"{cost.flops / 1e6:.1f}"
        table.add_row(method, f"{1e3 * median:.2f}", f"{1e3 * late:.2f}", f"{median / base:.1f}", f"{cost.evaluations}",
                      f"{cost.vjps}", flops)  # fmt: skip
    return table


def rates_table(solved: Solved) -> Table:
    """Solve rates over all tasks: a line for each slowdown, a column for each method."""
    methods = list(dict.fromkeys(setting.method for setting in solved.settings))
    table = methods_table(["times as slow"], methods, len(solved.tasks))
    for slowdown in sorted({setting.slowdown for setting in solved.settings}):
        own = {setting.method: setting for setting in solved.settings if setting.slowdown == slowdown}
        table.add_row(f"{slowdown:g}", *(brief_percent(solved.rate(own[method])) for method in methods))
    return table


def caption(study: Study, command: str) -> str:
    """How the rows of the plot were made."""
    return (
        f"Flow policies of the package, chunks of {settings.PREDICTION_HORIZON}, 30 ticks a second, action noise "
        f"{study.settings['action_noise']:g}; latencies measured one inference at a time, then multiplied; "
        f"{study.episodes} episodes a task and point, seed {study.seed}; bands: 95 % intervals (Wilson).\n$ {command}"
    )


def _traces(path: Path, record: bool) -> settings.Traces:
    """The traces in a file; if there is none, all methods are measured now, whichever are played."""
    if record and not path.is_file():
        Console(highlight=False).print("Measuring what an inference of each method takes; keep the machine idle ...")
        write_traces(path, settings.record())
    return read_traces(path)


def _read_slowdowns(text: str) -> list[float]:
    """The numbers of a list like 1,50,100."""
    try:
        found = [read_real(part) for part in read_names(text)]
    except typer.BadParameter as error:
        raise ArgumentError(f"--slowdowns {text!r}: {error} Write, for example, 1,50,100.") from error
    if not found:
        raise ArgumentError(f"--slowdowns {text!r} has no numbers; write, for example, 1,50,100.")
    return found
