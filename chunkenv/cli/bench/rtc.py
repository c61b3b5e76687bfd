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
from chunkenv.bench.studies.own_methods import own_methods, try_methods
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.study_options import (
    RESULTS,
    Methods,
    Policies,
    Tasks,
    levels_of,
    methods_of,
    with_study_options,
)
from chunkenv.cli.command_line import is_given
from chunkenv.cli.console_tables import print_table
from chunkenv.errors import ArgumentError
from chunkenv.registration import POLICIES
from chunkenv.utils.extras import require

SIDE_BY_SIDE = len(settings.PAPERS_METHODS)
"""Methods in a table, at most."""


@with_study_options(settings.EPISODES, RESULTS / settings.NAME)
def rtc(
    context: typer.Context,
    tasks: Tasks = "all",
    methods: Methods = None,
    policies: Policies = POLICIES,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]FILE.py:OBJECT", help="A strategy of yours, made of a flow policy; may be repeated."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]FILE.py:OBJECT", help="A policy of yours, made of a level's name; may be repeated."
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help=f"{settings.QUICK_EPISODES} episodes a cell, at every delay, with two execution horizons only.",
        ),
    ] = False,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help=f"The paper's grid: all 24 pairs of delay and horizon, {settings.FULL_EPISODES} episodes a cell; "
            f"unless --methods are given, of {', '.join(settings.FULL_METHODS)}.",
        ),
    ] = False,
) -> None:
    """Real-Time Chunking's study: solve rate against inference delay and execution horizon, by execution method.

    The flow policies come with the package. Every combination of tasks, methods and schedules is a cell, played for
    some episodes. Rows are kept as they come: after Ctrl-C, or a crash, the same command goes on from there. A strategy
    or policy of yours stands beside the package's: its rows are played on the same episodes.
    """
    require("agents")
    require("bench", "numba", "matplotlib")
    levels = levels_of(tasks)
    usual = settings.FULL_METHODS if full else settings.PAPERS_METHODS
    own = own_methods(strategy or (), policy or ())
    study = settings.rtc_study(
        tasks=levels,
        methods=methods_of(methods, policies, levels, usual),
        schedules=_schedules(quick, full),
        episodes=_episodes(context),
        seed=context.params["seed"],
        policies=policies,
        own=own,
    )
    try_methods(own, levels[0], policies)
    play_study(context, study, show)


def show(played: Played) -> None:
    """Tables in the terminal, the plot, what became of the paper's findings, and where things lie."""
    from chunkenv.bench.report.plots.plot_rtc import plot_rtc

    study, store, out, command, console = played
    solved = Solved(study, store)
    methods = tuple(dict.fromkeys(cell.method for cell in study.cells))
    findings = check_hypotheses(rtc_hypotheses(settings.DELAYS, methods), solved)
    for start in range(0, len(methods), SIDE_BY_SIDE):
        print_table(console, rates_table(solved, methods[start : start + SIDE_BY_SIDE]))
    print_table(console, findings_table(findings))
    path = out / f"{study.name}.png"
    plot_rtc(solved, path, caption(study, command))
    console.print(f"plot      {path}", soft_wrap=True)
    console.print(f"database  {store.path}", soft_wrap=True)


def rates_table(solved: Solved[Setting], methods: Sequence[str]) -> Table:
    """Solve rates over all tasks: a line for each schedule, a column for each of some methods."""
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
        f"Flow policies: {study.settings['policies']}; chunks of {study.cells[0].prediction_horizon}, action noise "
        f"{study.settings['action_noise']:g}; {study.episodes} episodes a task and point, seed {study.seed}; bands: "
        f"95 % intervals (Wilson).  $ {command}"
    )


def _schedules(quick: bool, full: bool) -> Sequence[settings.Schedule]:
    if full:
        return settings.ALL
    return settings.QUICK if quick else settings.SWEEPS


def _episodes(context: typer.Context) -> int:
    options = [name for name in ("quick", "full") if context.params[name]]
    options += ["episodes"] * is_given(context, "episodes")
    if len(options) > 1:
        raise ArgumentError(f"--{options[0]} and --{options[1]} both say how many episodes; give one of the two.")
    counts = {"quick": settings.QUICK_EPISODES, "full": settings.FULL_EPISODES, "episodes": context.params["episodes"]}
    return counts[options[0] if options else "episodes"]
