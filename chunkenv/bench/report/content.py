"""What a report says, before it is HTML or Markdown: facts, tables, pictures, and how the rows were made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chunkenv.bench.analysis.groups import Groups, overall
from chunkenv.bench.analysis.study_progress import Progress, progress
from chunkenv.bench.report.schedule_timeline import draw_longest_delay
from chunkenv.bench.report.sweep_plots import draw_sweeps
from chunkenv.bench.report.tables import PlainTable, make_tables
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate import Row

KINDS = {".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif"}


class Picture(NamedTuple):
    """A plot or a video: the name of its file, its MIME type, its bytes."""

    name: str
    kind: str
    content: bytes


class Content(NamedTuple):
    """A report.

    Attributes:
        title: the study's name.
        facts: names and values.
        commands: the command lines that made the rows, as far as they are known.
        tables: of results, of differences, cell by cell.
        plots: PNG or SVG.
        videos: GIF.
        runs: a line for each way in which rows were made: when, where, by which versions.
    """

    title: str
    facts: list[tuple[str, str]]
    commands: list[str]
    tables: list[PlainTable]
    plots: list[Picture]
    videos: list[Picture]
    runs: list[tuple[str, str]]


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
    plots = _pictures(folder, (".png", ".svg")) or _drawn(whole)
    commands = list(dict.fromkeys(run["command"] for run in runs if run["command"]))
    videos = _pictures(folder, (".gif",))
    tables = make_tables(store, whole)
    return Content(runs[-1]["study"], _facts(runs, done), commands, tables, plots, videos, _runs(runs))


def _drawn(groups: Groups) -> list[Picture]:
    """Sweeps, and the timeline of the longest delay."""
    timeline = draw_longest_delay(groups)
    drawn = [*draw_sweeps(groups), *([timeline] if timeline else [])]
    return [Picture(f"report/{name}.svg", KINDS[".svg"], svg) for name, svg in drawn]


def _facts(runs: Sequence[Row], done: Progress) -> list[tuple[str, str]]:
    whole = "" if done.kept == done.planned else f" of {done.planned}: the study is not finished"
    seconds = f"{done.seconds:.0f} s" if done.seconds else "not known"
    settings = [(name.replace("_", " "), brief(value, limit=200)) for name, value in runs[-1]["settings"].items()]
    return [
        ("episodes", f"{done.kept}{whole}"),
        ("seed", str(runs[-1]["seed"])),
        *settings,
        ("time, all workers together", seconds),
    ]


def _runs(runs: Sequence[Row]) -> list[tuple[str, str]]:
    """When each began, and on what, with which versions."""
    lines = []
    for run in runs:
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        lines.append((run["started"], f"{run['machine']}; {versions}"))
    return lines


def _pictures(folder: Path, endings: Sequence[str]) -> list[Picture]:
    """The pictures in a folder, and in its folders `videos` and `plots`."""
    folders = [folder, folder / "plots", folder / "videos"]
    paths = sorted(path for each in folders if each.is_dir() for path in each.iterdir() if path.suffix in endings)
    return [Picture(path.relative_to(folder).as_posix(), KINDS[path.suffix], path.read_bytes()) for path in paths]
