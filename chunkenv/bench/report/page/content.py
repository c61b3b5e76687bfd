"""What a report says, before it is HTML or Markdown: facts, tables, pictures, and how the rows were made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chunkenv.bench.analysis.groups import Groups, cells, overall
from chunkenv.bench.analysis.study_progress import Progress, progress
from chunkenv.bench.report.page.picture import Picture, read_pictures, svg_picture
from chunkenv.bench.report.plots.schedule_timeline import draw_longest_delay
from chunkenv.bench.report.plots.sweep_plots import describe_sweep, draw_sweep
from chunkenv.bench.report.plots.sweeps import find_sweeps, find_task_sweeps
from chunkenv.bench.report.tables import PlainTable, make_tables
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate import Row


class Content(NamedTuple):
    """A report.

    Attributes:
        title: the study's name.
        about: what the study is about, in paragraphs.
        facts: names and values.
        commands: the command lines that made the rows, as far as they are known.
        tables: of results, of differences, cell by cell.
        plots: PNG or SVG.
        videos: GIF.
        runs: a line for each way in which rows were made: when, where, by which versions.
        galleries: pictures below the tables, PNG or SVG, each list under a heading of its own.
    """

    title: str
    about: list[str]
    facts: list[tuple[str, str]]
    commands: list[str]
    tables: list[PlainTable]
    plots: list[Picture]
    videos: list[Picture]
    runs: list[tuple[str, str]]
    galleries: Sequence[tuple[str, list[Picture]]] = ()


def make_content(store: Store, folder: Path) -> Content:
    """The report on the rows of a study, finished or not.

    Args:
        store: the rows.
        folder: where the plots of the study's command lie, and videos. Without plots there, sweeps are drawn, and the
            timeline of the longest delay.

    Raises:
        ArgumentError: if there are no rows.
    """
    runs, done = store.runs(), progress(store)
    if not runs or not done.kept:
        raise ArgumentError(f"{store.path} holds no episodes yet; there is nothing to report.")
    whole = overall(store)
    plots = read_pictures(folder, (".png", ".svg")) or _draw_pictures(whole, cells(store))
    commands = list(dict.fromkeys(run["command"] for run in runs if run["command"]))
    videos = read_pictures(folder, (".gif",))
    tables = make_tables(store, whole)
    about = paragraphs(runs[-1]["about"] or "")
    return Content(
        runs[-1]["study"], about, describe_study(runs, done), commands, tables, plots, videos, describe_runs(runs)
    )


def paragraphs(text: str) -> list[str]:
    r"""The paragraphs of a docstring, each in one line.

    >>> paragraphs("How late\nmay it be?\n\nVery.")
    ['How late may it be?', 'Very.']
    """
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _draw_pictures(whole: Groups, by_cell: Groups) -> list[Picture]:
    """Sweeps over all tasks and task by task, and the timeline of the longest delay."""
    sweeps = [*find_sweeps(whole), *find_task_sweeps(by_cell)]
    drawn = [svg_picture(f"report/{each.name}.svg", draw_sweep(each), describe_sweep(each)) for each in sweeps]
    timeline = draw_longest_delay(whole)
    return [*drawn, *([svg_picture(f"report/{timeline[0]}.svg", timeline[1])] if timeline else [])]


def describe_study(runs: Sequence[Row], done: Progress) -> list[tuple[str, str]]:
    """How much there is, and by which settings; names and values."""
    whole = "" if done.kept == done.planned else f" of {done.planned}: the study is not finished"
    seconds = f"{done.seconds:.0f} s" if done.seconds else "not known"
    settings = [(name.replace("_", " "), brief(value, limit=200)) for name, value in runs[-1]["settings"].items()]
    return [
        ("episodes", f"{done.kept}{whole}"),
        ("seed", str(runs[-1]["seed"])),
        *settings,
        ("time, all workers together", seconds),
    ]


def describe_runs(runs: Sequence[Row]) -> list[tuple[str, str]]:
    """When each began, and on what, with which versions."""
    lines = []
    for run in runs:
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        lines.append((run["started"], f"{run['machine']}; {versions}"))
    return lines
