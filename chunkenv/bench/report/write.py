"""The files of a report."""

from __future__ import annotations

from pathlib import Path

from chunkenv.bench.report.content import make_content
from chunkenv.bench.report.html import to_html
from chunkenv.bench.report.markdown import to_markdown
from chunkenv.bench.store.study_store import Store, make_folder
from chunkenv.utils.files import atomic_file


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
    content = make_content(store, folder)
    make_folder(out)
    for picture in [*content.plots, *content.videos]:
        _put(picture.content, out / picture.name)
    paths = [out / "report.html", out / "report.md"]
    _put(to_html(content).encode(), paths[0])
    _put(to_markdown(content).encode(), paths[1])
    return paths


def _put(content: bytes, path: Path) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    make_folder(path.parent)
    with atomic_file(path) as file:
        file.write(content)
