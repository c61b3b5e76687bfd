"""The files of a report, and of a leaderboard."""

from __future__ import annotations

from pathlib import Path

from chunkenv.bench.report.page.content import Content, make_content
from chunkenv.bench.report.page.html import to_html
from chunkenv.bench.report.page.leaderboard_content import make_leaderboard
from chunkenv.bench.report.page.markdown import to_markdown
from chunkenv.bench.store.study_store import Store, make_folder
from chunkenv.utils.files import atomic_file

WRITERS = {".html": to_html, ".md": to_markdown}
"""What makes a page of its content, by the end of the file's name."""


def write_report(store: Store, folder: Path, out: Path) -> list[Path]:
    """Write `report.html`, which needs no other file, and `report.md` with its pictures.

    Args:
        store: the rows of a study, finished or not.
        folder: where the study's plots and films lie.
        out: where to write; it is made if need be.

    Returns:
        The paths of the page and of the Markdown.

    Raises:
        ArgumentError: if there are no rows, or the folder cannot be written.
    """
    return _write(make_content(store, folder), out, "report")


def write_leaderboard(store: Store, charged: Store | None, out: Path) -> list[Path]:
    """Write `leaderboard.html`, which needs no other file, and `leaderboard.md`, or one page under a name of its own.

    Args:
        store: the rows of `chunkenv bench rtc`, or of another study with the fields of `chunkenv.bench.Cell`.
        charged: the rows of `chunkenv bench charged`, if there are any.
        out: where to write: a folder, which is made if need be, or a file whose name ends in .md or .html.

    Returns:
        The paths of what was written.

    Raises:
        ArgumentError: if there are no rows that a leaderboard can be made of, or the folder cannot be written.
    """
    content = make_leaderboard(store, charged)
    if out.suffix not in WRITERS:
        return _write(content, out, "leaderboard")
    _put(WRITERS[out.suffix](content).encode(), out)
    return [out]


def _write(content: Content, out: Path, name: str) -> list[Path]:
    make_folder(out)
    for picture in [*content.plots, *content.videos]:
        _put(picture.content, out / picture.name)
    paths = [out / f"{name}{suffix}" for suffix in WRITERS]
    for path in paths:
        _put(WRITERS[path.suffix](content).encode(), path)
    return paths


def _put(content: bytes, path: Path) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    make_folder(path.parent)
    with atomic_file(path) as file:
        file.write(content)
