"""`chunkenv bench status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chunkenv.bench.analysis.study_progress import Progress, progress
from chunkenv.bench.store.reading import open_store
from chunkenv.bench.store.study_store import Store
from chunkenv.cli.bench.study_options import DATABASE, RESULTS
from chunkenv.cli.console_tables import print_table
from chunkenv.errors import ArgumentError


def status(
    folder: Annotated[
        Path | None,
        typer.Argument(help="The folder that a study writes.", show_default=f"all studies in {RESULTS}"),
    ] = None,
) -> None:
    """Show how far a study is, while it runs or afterwards: what is done, under way, missing; rate and time left."""
    found = [folder / DATABASE] if folder else sorted(RESULTS.glob(f"*/{DATABASE}"))
    if not found:
        raise ArgumentError(f"there is no study in {RESULTS}; give the folder that a study writes.")
    console = Console(highlight=False)
    for path in found:
        with open_store(path) as store:
            _show(store, console, in_full=folder is not None)


def _show(store: Store, console: Console, in_full: bool) -> None:
    done, runs = progress(store), store.runs()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in _lines(done):
        table.add_row(name, value)
    title = f"{runs[-1]['study']}, seed {runs[-1]['seed']}" if runs else "nothing was played yet"
    console.print(f"[bold]{escape(str(store.path.parent))}[/] ({escape(title)})", soft_wrap=True)
    print_table(console, table)
    if in_full:
        print_table(console, _task_table(store, done))


def _lines(done: Progress) -> list[tuple[str, str]]:
    share = f" ({100 * done.kept / done.planned:.0f} %)" if done.planned else ""
    lines = [("done", f"{done.kept} of {done.planned} episodes{share}")]
    if done.kept < done.planned:
        lines.append(("missing", f"{done.planned - done.kept}, of which {_under_way(done)}"))
    if 0 < done.known < done.kept:
        lines.append(("success", f"known of {done.known} episodes, not of {done.kept - done.known}"))
    if done.rate is not None:
        lines.append(("rate", f"{done.rate:.3g} episodes/s, the last one {_span(done.last_row or 0)} ago"))
    if done.left and done.under_way:
        lines.append(("left", f"about {_span(done.left)} at this rate"))
    return lines


def _under_way(done: Progress) -> str:
    if done.oldest_claim is None:
        return "none is under way: nothing plays this study now"
    return f"{done.under_way} are under way, the first since {_span(done.oldest_claim)}"


def _task_table(store: Store, done: Progress) -> Table:
    table = Table(next(iter(store.columns.keys)), "done", "planned", "missing", box=None, padding=(0, 2, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for task, (kept, planned) in done.tasks.items():
        table.add_row(escape(str(task)), str(kept), str(planned), str(planned - kept) if kept < planned else "")
    return table


def _span(seconds: float) -> str:
    """A time in words, in the unit that suits it.

    >>> _span(12), _span(600), _span(7300)
    ('12 s', '10 min', '2.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
