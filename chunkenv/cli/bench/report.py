"""`chunkenv bench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.bench.store.reading import open_store
from chunkenv.cli.bench.study_options import DATABASE
from chunkenv.utils.extras import require


def report(
    folder: Annotated[Path, typer.Argument(help="The folder that a study wrote.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the files.", show_default="the same folder")] = None,
) -> None:
    """Write a page about a study, finished or not: tables that sort, plots, and how the rows were made; also Markdown.

    Plots (PNG, SVG) and videos (GIF) that lie in the folder, or in its folders `plots` and `videos`, are in the page;
    without plots there, the scores are drawn against every setting that varies.
    """
    require("bench", "matplotlib")
    from chunkenv.bench.report.write import write_report

    with open_store(folder / DATABASE) as store:
        for path in write_report(store, folder, folder if out is None else out):
            Console(highlight=False).print(f"{path}", soft_wrap=True)
