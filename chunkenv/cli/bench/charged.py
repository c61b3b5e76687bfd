"""`chunkenv bench charged`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.store.latency_traces import FILE, read_corrections, read_traces, write_traces
from chunkenv.bench.studies import charged_study as settings
from chunkenv.bench.studies.measured_latency import (
    CONTROL_DT,
    SizedTraces,
    Traces,
    record,
    record_corrections,
    sized_policies,
)
from chunkenv.bench.studies.methods import METHODS, PREDICTION_HORIZON
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.rtc import SIDE_BY_SIDE, brief_percent, methods_table
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
from chunkenv.cli.command_line import read_names, read_real
from chunkenv.cli.console_tables import print_table
from chunkenv.errors import ArgumentError
from chunkenv.registration import POLICIES
from chunkenv.utils.extras import require

if TYPE_CHECKING:
    from chunkenv.bench.report.plots.plot_charged import Slowed

SIZES = ",".join(f"{size:g}" for size in settings.SIZES)


@with_study_options(settings.EPISODES, RESULTS / settings.NAME)
def charged(
    context: typer.Context,
    tasks: Tasks = "all",
    methods: Methods = None,
    sizes: Annotated[
        str, typer.Option(metavar="LIST", help="Million parameters of the network whose time is charged.")
    ] = SIZES,
    slowdowns: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Times as slow as measured: 1,50,100.", show_default="by the fastest method"),
    ] = None,
    traces: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Latencies that were recorded before.", show_default=f"{FILE} in the folder"),
    ] = None,
    policies: Policies = POLICIES,
    quick: Annotated[bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes a cell.")] = False,
) -> None:
    """Solve rate when every execution method is charged the time that it takes itself, on a slower and slower policy.

    First the latency of each method is measured, with real networks of each size (keep the machine idle for these
    minutes), and kept in `traces.json`; a simulated clock then replays it, so that the study repeats. Whatever the
    size, what plays is the package's policy: only the time is that of the larger network. 30 control steps a second.
    """
    require("agents")
    require("bench", "numba", "matplotlib")
    levels = levels_of(tasks)
    chosen = methods_of(methods, policies, levels)
    wanted = _read_reals("--sizes", sizes, SIZES)
    slower = None if slowdowns is None else _read_reals("--slowdowns", slowdowns, "1,50,100")
    file = context.params["out"] / FILE if traces is None else traces
    if traces is None:
        _measure_missing(file, wanted, chosen, policies)
    study = settings.charged_study(
        _of_sizes(file, wanted),
        tasks=levels,
        methods=chosen,
        slowdowns=slower,
        episodes=episodes_of(context, settings.QUICK_EPISODES),
        seed=context.params["seed"],
        policies=policies,
    )
    corrections = {name: seconds for name, seconds in read_corrections(file).items() if name in chosen}
    play_study(context, study, lambda played: show(played, policies, corrections))


def show(played: Played, policies: str, corrections: Traces) -> None:
    """Tables in the terminal, the plots, and where things lie."""
    from chunkenv.bench.report.plots.plot_charged import Slowed, plot_charged
    from chunkenv.bench.report.plots.plot_sizes import Sized, plot_sizes

    study, store, out, command, console = played
    print_table(console, latency_table(study, policies))
    if corrections:
        print_table(console, correction_table(corrections))
    for size in _sizes(study):
        part = _part_of(study, size)
        solved = Solved(part, store, lambda cell: Slowed(cell.method, cell.slowdown))
        for table in rates_tables(solved, size):
            print_table(console, table)
        path = out / f"{study.name}-{size:g}.png"
        traces = study.settings["traces"][f"{size:g}"]
        plot_charged(solved, traces, CONTROL_DT, path, caption(part, command))
        console.print(f"plot      {path}", soft_wrap=True)
    as_measured = [cell for cell in study.cells if cell.slowdown == 1]
    if len({cell.size for cell in as_measured}) > 1:
        part = dataclasses.replace(study, cells=as_measured)
        path = out / f"{study.name}-sizes.png"
        plot_sizes(Solved(part, store, lambda cell: Sized(cell.method, cell.size)), path, caption(part, command))
        console.print(f"plot      {path}", soft_wrap=True)
    console.print(f"database  {store.path}", soft_wrap=True)


def latency_table(study: Study, policies: str) -> Table:
    """What a chunk of each method costs with networks of each size: seconds as measured, and by count."""
    columns = ("million", "method", "median, ms", "95 %, ms", "times naive", "evaluations", "VJPs", "MFLOP")
    table = Table(*columns, title="One inference, as measured", title_justify="left")
    for size, traces in study.settings["traces"].items():
        networks = sized_policies(list(traces), float(size), policies)
        base = np.median(traces["naive"]) if "naive" in traces else np.nan
        for method, trace in traces.items():
            cost = METHODS[method].strategy(networks[METHODS[method].weights]).cost
            median, late = np.median(trace), np.quantile(trace, 0.95)
            flops = "" if cost.flops is None else f"{cost.flops / 1e6:.1f}"
            table.add_row(size, method, f"{1e3 * median:.2f}", f"{1e3 * late:.2f}", f"{median / base:.1f}",
                          f"{cost.evaluations}", f"{cost.vjps}", flops)  # fmt: skip
    return table


def correction_table(corrections: Traces) -> Table:
    """What the correction of a tick takes, of the methods that correct; it is not charged, it has to fit the tick."""
    table = Table("method", "median, ms", "95 %, ms", f"fits a tick of {1e3 * CONTROL_DT:.0f} ms",
                  title="One correction, as measured; not charged", title_justify="left")  # fmt: skip
    for method, seconds in corrections.items():
        median, late = np.median(seconds), np.quantile(seconds, 0.95)
        table.add_row(method, f"{1e3 * median:.2f}", f"{1e3 * late:.2f}", "yes" if late < CONTROL_DT else "no")
    return table


def rates_tables(solved: Solved[Slowed], size: float) -> list[Table]:
    """Solve rates over all tasks: a line for each slowdown, a column for each method; in several tables if need be."""
    methods = list(dict.fromkeys(setting.method for setting in solved.settings))
    tables = []
    for start in range(0, len(methods), SIDE_BY_SIDE):
        shown = methods[start : start + SIDE_BY_SIDE]
        table = methods_table(["times as slow"], shown, len(solved.tasks))
        table.title = f"Charged for {size:g} million parameters. {table.title}"
        for slowdown in sorted({setting.slowdown for setting in solved.settings}):
            own = {setting.method: setting for setting in solved.settings if setting.slowdown == slowdown}
            table.add_row(f"{slowdown:g}", *(brief_percent(solved.rate(own[method])) for method in shown))
        tables.append(table)
    return tables


def caption(study: Study, command: str) -> str:
    """How the rows of a plot were made."""
    sizes = ", ".join(f"{size:g}" for size in _sizes(study))
    return (
        f"Flow policies: {study.settings['policies']}; chunks of {PREDICTION_HORIZON}, 30 ticks a second, action noise "
        f"{study.settings['action_noise']:g}; latencies of networks of {sizes} million parameters, measured one "
        f"inference at a time, then multiplied; {study.episodes} episodes a task and point, seed {study.seed}; bands: "
        f"95 % intervals (Wilson).\n$ {command}"
    )


def _sizes(study: Study) -> list[float]:
    return list(dict.fromkeys(cell.size for cell in study.cells))


def _part_of(study: Study, size: float) -> Study:
    """The cells of one size."""
    return dataclasses.replace(study, cells=[cell for cell in study.cells if cell.size == size])


def _measure_missing(path: Path, sizes: Sequence[float], methods: Sequence[str], policies: str) -> None:
    """Measure what a file lacks of these sizes and methods, and add it; what is there stays, because rows are of it."""
    there = read_traces(path) if path.is_file() else {}
    missing = {size: [name for name in methods if name not in there.get(size, {})] for size in sizes}
    if not any(missing.values()):
        return
    console = Console(highlight=False)
    for size, names in missing.items():
        if names:
            console.print(f"Measuring {size:g} million parameters, {len(names)} methods; keep the machine idle ...")
            there[size] = there.get(size, {}) | record(names, size, policies)
    added = [name for name in methods if any(name in names for names in missing.values())]
    corrections = read_corrections(path) if path.is_file() else {}
    write_traces(path, there, corrections | record_corrections(added, policies))


def _of_sizes(path: Path, sizes: Sequence[float]) -> SizedTraces:
    """The traces of some sizes in a file."""
    there = read_traces(path)
    for size in sizes:
        if size not in there:
            raise ArgumentError(
                f"{path} has no latencies of networks with {size:g} million parameters, only with "
                f"{', '.join(f'{each:g}' for each in there)}; give these as --sizes, or leave --traces out."
            )
    return {size: there[size] for size in sizes}


def _read_reals(option: str, text: str, example: str) -> list[float]:
    """The numbers of a list like 1,50,100."""
    try:
        found = [read_real(part) for part in read_names(text)]
    except typer.BadParameter as error:
        raise ArgumentError(f"{option} {text!r}: {error} Write, for example, {example}.") from error
    if not found or min(found) <= 0:
        raise ArgumentError(f"{option} {text!r} has to be numbers above 0; write, for example, {example}.")
    return found
