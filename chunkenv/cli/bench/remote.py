"""`chunkenv bench remote`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from chunkenv.bench.analysis.groups import overall
from chunkenv.bench.analysis.intervals import Interval, paired_difference
from chunkenv.bench.analysis.solve_rates import rows_of
from chunkenv.bench.report.delay_tables import points
from chunkenv.bench.report.number_format import number_format
from chunkenv.bench.report.tables import terminal_table
from chunkenv.bench.studies import remote_study as settings
from chunkenv.bench.studies.remote_setup import Measuring, set_up
from chunkenv.bench.study import Study
from chunkenv.cli.bench.playing import Played, play_study
from chunkenv.cli.bench.study_options import RESULTS, Episodes, Out, Overwrite, Seed, episodes_of
from chunkenv.cli.command_line import complete_task, read_numbers, real, whole
from chunkenv.cli.console_tables import print_table
from chunkenv.cli.serve import Dialect, KeyVariable, ObservationKey
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Row
from chunkenv.utils.extras import require

MOST_IN_FLIGHT = 8
QUEUE = 1.5
"""Times as long, from which on inferences at the same time wait for each other."""


def remote(
    context: typer.Context,
    uri: Annotated[str, typer.Argument(metavar="URI", help="Where the server is: ws://127.0.0.1:8000.")],
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="What it plays: a task of ours, the id of any environment, or FILE.py:NAME, which makes one.",
            autocompletion=complete_task,
        ),
    ],
    arguments: Annotated[str, typer.Option(metavar="JSON", help="Arguments for gymnasium.make.")] = "{}",
    dialect: Dialect = "openpi",
    api_key_env: KeyVariable = None,
    host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Another machine that may be connected to.")
    ] = None,
    observation_key: ObservationKey = "observation",
    actions_key: Annotated[str, typer.Option(metavar="NAME", help="What the answer calls the chunk.")] = "actions",
    timeout: Annotated[float, real(help="Seconds that an answer may take.")] = 10.0,
    first_timeout: Annotated[float, real(help="Seconds until the first answer: servers start and compile.")] = 120.0,
    inferences: Annotated[int, whole(help="How many are measured, of each number in flight.", at_most=10**6)] = 100,
    warm_up: Annotated[int, whole(help="Inferences before, which are not measured.", at_most=1000)] = 3,
    control_dt: Annotated[
        float | None, real(help="Seconds between two control steps.", default="what the environment says")
    ] = None,
    in_flight: Annotated[str, typer.Option(metavar="LIST", help="Inferences under way at a time, at most.")] = "1,2",
    horizons: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Execution horizons; others are compared with the first.",
            show_default="H minus the delay, and shorter ones",
        ),
    ] = None,
    delays: Annotated[str, typer.Option(metavar="LIST", help="Constant delays in ticks to compare with.")] = "0",
    episodes: Episodes = settings.EPISODES,
    seed: Seed = 0,
    workers: Annotated[
        int, whole(help="Processes that ask the server; more than one only if it remembers nothing.", at_most=64)
    ] = 1,
    quick: Annotated[bool, typer.Option("--quick", help=f"{settings.QUICK_EPISODES} episodes a cell.")] = False,
    overwrite: Overwrite = False,
    out: Out = RESULTS / settings.NAME,
) -> None:
    """Measure a policy server, replay its latency in simulation, and see what another way to ask it would gain.

    First the server plays the task while its answers are timed, one at a time, then several at once. The recordings
    are kept as trace-K.jsonl (`chunkenv trace show` looks at them) and replayed by the simulated clock, with the same
    server, for every horizon and number of inferences in flight. The same command goes on where it was stopped;
    --overwrite measures anew.
    """
    require("remote")
    require("bench", "matplotlib")
    counts = _read_counts(in_flight)
    chosen = read_numbers("--horizons", horizons) if horizons else []
    constant = read_numbers("--delays", delays) if delays else []
    options = {
        "dialect": dialect,
        "timeout": timeout,
        "first_timeout": first_timeout,
        "hosts": tuple(host or ()),
        "observation_key": observation_key,
    }
    server = settings.Server(uri, api_key_env, {**options, "actions_key": actions_key})
    played = settings.RemoteTask(task, _read_arguments(arguments))
    console = Console(highlight=False)
    how = Measuring(out, counts, inferences, warm_up, seed, control_dt, overwrite)
    console.print(f"Waiting for the server at {uri} ...", soft_wrap=True)
    setup = set_up(how, server, played, say=lambda sentence: console.print(sentence, soft_wrap=True))
    study = settings.remote_study(
        setup,
        chosen or usual_horizons(setup),
        constant,
        episodes_of(context, settings.QUICK_EPISODES),
        seed,
    )
    play_study(context, study, show)


def show(played: Played) -> None:
    """What was measured, the scores, what each change would gain, and where things lie."""
    study, store, out, _, console = played
    print_table(console, latency_table(study))
    for sentence in queues(study.settings["traces"]):
        console.print(sentence, soft_wrap=True)
    console.print()
    print_table(console, terminal_table(overall(store)))
    console.print()
    print_table(console, gains_table(study, rows_of(study, store.rows())))
    console.print(f"\ntraces    {out / 'trace-*.jsonl'}: `chunkenv trace show` and `fit` look at them", soft_wrap=True)
    console.print(f"database  {store.path}: `chunkenv bench report {out}` makes a page", soft_wrap=True)


def latency_table(study: Study) -> Table:
    """Milliseconds and ticks of the inferences, by how many were under way."""
    columns = ("in flight", "inferences", "median, ms", "95 %, ms", "longest, ms", "median, ticks", "95 %, ticks")
    table = Table(*columns, title="Latency, as measured", title_justify="left")
    dt = study.settings["control_dt"]
    for count, trace in study.settings["traces"].items():
        middle, late, longest = np.quantile(trace, [0.5, 0.95, 1.0]).tolist()
        milliseconds = [f"{1e3 * seconds:.1f}" for seconds in (middle, late, longest)]
        table.add_row(count, f"{len(trace)}", *milliseconds, f"{ticks(middle, dt)}", f"{ticks(late, dt)}")
    return table


def queues(traces: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A sentence for each number of inferences at a time that the server does not answer side by side.

    >>> list(queues({"1": [0.1], "2": [0.19], "4": [0.11]}))
    ['2 at a time take 1.9 times as long each: the server answers them one after the other.']
    """
    alone = float(np.median(traces["1"]))
    for count, trace in traces.items():
        ratio = float(np.median(trace)) / max(alone, 1e-9)
        if ratio > QUEUE:
            yield f"{count} at a time take {ratio:.1f} times as long each: the server answers them one after the other."


def gains_table(study: Study, rows: list[Row]) -> Table:
    """Every other way to ask against the first: paired on the same episodes."""
    solves = all(row["success"] is not None for row in rows)
    score = "success" if solves else "return"
    found = {cell: [row[score] for row in rows if _is_of(row, cell)] for cell in study.cells}
    first, *others = study.cells
    gains = {cell: paired_difference([found[cell]], [found[first]]) for cell in others}
    write = points if solves else _writer(gains.values())
    title = f"Against {first.method}, latency {first.latency}, execution horizon {first.execution_horizon}"
    what = "solved, points" if solves else "return"
    table = Table(
        "method", "latency", "execution horizon", f"{what} (95 % interval)", title=title, title_justify="left"
    )
    for cell, gain in gains.items():
        table.add_row(cell.method, cell.latency, f"{cell.execution_horizon}", write(gain))
    return table


def usual_horizons(setup: settings.Setup) -> list[int]:
    """H minus the median delay, which is the default elsewhere, then half of H, and the delay itself."""
    rows, delay = setup.prediction_horizon, ticks(float(np.median(setup.traces[1])), setup.control_dt)
    return list(dict.fromkeys(min(max(horizon, 1), rows) for horizon in (rows - delay, rows // 2, delay)))


def _is_of(row: Row, cell: settings.RemoteCell) -> bool:
    return all(row[name] == getattr(cell, name) for name in ("task", "method", "latency", "execution_horizon"))


def _writer(gains: Iterable[Interval]) -> Callable[[Interval], str]:
    gains = list(gains)
    write = number_format((end for gain in gains for end in gain), sign=True)

    def difference(gain: Interval) -> str:
        ends = "" if math.isnan(gain.low) else f" ({write(gain.low)} to {write(gain.high)})"
        return write(gain.estimate) + ends

    return difference


def _read_counts(text: str) -> list[int]:
    """The numbers of inferences in flight; 1 is always among them, because it is what others are compared with."""
    counts = sorted({1, *read_numbers("--in-flight", text)})
    if counts[0] < 1 or counts[-1] > MOST_IN_FLIGHT:
        raise ArgumentError(f"--in-flight {text!r} is not from 1 to {MOST_IN_FLIGHT}; write, for example, 1,2.")
    return counts


def _read_arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ArgumentError(f"--arguments {text!r} is no JSON object; write, for example, '{{\"observation\": 5}}'.")
    return found
