"""The files of a report."""

from __future__ import annotations

from pathlib import Path

from chunkenv.bench.report.content import content_of
from chunkenv.bench.report.html import to_html
from chunkenv.bench.report.markdown import to_markdown
from chunkenv.bench.store.study_store import Store, make_folder
from chunkenv.bench.store.whole_files import write_whole


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
    content = content_of(store, folder)
    make_folder(out)
    for picture in [*content.plots, *content.films]:
        _put(picture.content, out / picture.name)
    paths = [out / "report.html", out / "report.md"]
    write_whole(paths[0], lambda path: path.write_text(to_html(content), encoding="utf-8"))
    write_whole(paths[1], lambda path: path.write_text(to_markdown(content), encoding="utf-8"))
    return paths


def _put(content: bytes, path: Path) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    make_folder(path.parent)
    write_whole(path, lambda partial: partial.write_bytes(content))
