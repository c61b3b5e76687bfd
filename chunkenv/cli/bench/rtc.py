"""`chunkenv bench rtc`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Column, Table

from chunkenv.bench.analysis.hypotheses import Finding, check_hypotheses
from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.analysis.rtc_findings import rtc_hypotheses
from chunkenv.bench.analysis.solve_rates import Setting, Solved
from chunkenv.bench.report.delay_tables import points
from chunkenv.bench.studies import rtc_study as settings
from chunkenv.bench.studies.methods import METHODS
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.study_options import (
    RESULTS,
    Address,
    Count,
    Episodes,
    Executor,
    Out,
    Overwrite,
    Seed,
)
from chunkenv.cli.command_line import is_given, read_names
from chunkenv.cli.console_tables import print_table
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require


def rtc(
    context: typer.Context,
    tasks: Annotated[str, typer.Option(metavar="NAMES", help="Levels, separated by commas, or all.")] = "all",
    methods: Annotated[str, typer.Option(metavar="NAMES", help="Execution methods, or all.")] = "all",
    episodes: Episodes = settings.EPISODES,
    seed: Seed = 0,
    workers: Count = 0,
    executor: Executor = "process",
    address: Address = None,
    quick: Annotated[bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes a cell.")] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help=f"The paper's grid: all 24 pairs, {settings.FULL_EPISODES} episodes: overnight."),
    ] = False,
    overwrite: Overwrite = False,
    out: Out = RESULTS / settings.NAME,
) -> None:
    """Real-Time Chunking's study: solve rate against inference delay and execution horizon, by execution method.

    The flow policies come with the package. Every combination of tasks, methods and schedules is a cell, played for
    some episodes. Rows are kept as they come: after Ctrl-C, or a crash, the same command goes on from there.
    """
    require("agents")
    require("bench", "numba", "matplotlib")
    study = settings.rtc_study(
        tasks=settings.LEVELS if tasks == "all" else read_names(tasks),
        methods=tuple(METHODS) if methods == "all" else read_names(methods),
        schedules=settings.ALL if full else settings.SWEEPS,
        episodes=_episodes(context),
        seed=seed,
    )
    play_study(context, study, show)


def show(played: Played) -> None:
    """Tables in the terminal, the plot, what became of the paper's findings, and where things lie."""
    from chunkenv.bench.report.plot_rtc import plot_rtc

    study, store, out, command, console = played
    solved = Solved(study, store)
    methods = tuple(dict.fromkeys(cell.method for cell in study.cells))
    findings = check_hypotheses(rtc_hypotheses(settings.DELAYS, methods), solved)
    print_table(console, rates_table(solved))
    print_table(console, findings_table(findings))
    path = out / f"{study.name}.png"
    plot_rtc(solved, path, caption(study, command))
    console.print(f"plot      {path}", soft_wrap=True)
    console.print(f"database  {store.path}", soft_wrap=True)


def rates_table(solved: Solved[Setting]) -> Table:
    """Solve rates over all tasks: a line for each schedule, a column for each method."""
    methods = list(dict.fromkeys(setting.method for setting in solved.settings))
    table = methods_table(["d", "s"], methods, len(solved.tasks))
    schedules = sorted({(setting.delay, setting.execution_horizon) for setting in solved.settings})
    for delay, horizon in schedules:
        own = {setting.method: setting for setting in solved.settings if setting[1:] == (delay, horizon)}
        table.add_row(f"{delay}", f"{horizon}", *(brief_percent(solved.rate(own[method])) for method in methods))
    return table


def methods_table(keys: Sequence[str], methods: Sequence[str], tasks: int) -> Table:
    """An empty table of solve rates that fits into eighty columns."""
    title = f"Solve rate over {tasks} task{'s' * (tasks != 1)}, % (and 95 % interval)"
    return Table(*keys, *(Column(name, overflow="fold") for name in methods), title=title, title_justify="left",
                 padding=(0, 0))  # fmt: skip


def brief_percent(rate: Interval) -> str:
    """A rate in percent with its interval, in nine characters.

    >>> brief_percent(Interval(0.5, 0.4, 0.6))
    '50 40-60'
    """
    if math.isnan(rate.estimate):
        return "not known"
    return f"{100 * rate.estimate:.0f} {100 * rate.low:.0f}-{100 * rate.high:.0f}"


def findings_table(findings: list[Finding]) -> Table:
    """The paper's findings, each with the paired contrast found here in points, and whether it is confirmed."""
    table = Table("claim (s = max(1, d))", "difference in points (95 % interval)", "verdict", title="Findings",
                  title_justify="left")  # fmt: skip
    for finding in findings:
        table.add_row(finding.hypothesis.text, points(finding.contrast), finding.verdict)
    return table


def caption(study: Study, command: str) -> str:
    """How the rows of the plot were made."""
    return (
        f"Flow policies of the package, chunks of {study.cells[0].prediction_horizon}, action noise "
        f"{study.settings['action_noise']:g}; {study.episodes} episodes a task and point, seed {study.seed}; bands: "
        f"95 % intervals (Wilson).  $ {command}"
    )


def _episodes(context: typer.Context) -> int:
    options = [name for name in ("quick", "full") if context.params[name]]
    options += ["episodes"] * is_given(context, "episodes")
    if len(options) > 1:
        raise ArgumentError(f"--{options[0]} and --{options[1]} both say how many episodes; give one of the two.")
    counts = {"quick": settings.QUICK_EPISODES, "full": settings.FULL_EPISODES, "episodes": context.params["episodes"]}
    return counts[options[0] if options else "episodes"]
