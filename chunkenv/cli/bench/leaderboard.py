"""`chunkenv bench leaderboard`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.bench.store.reading import open_store
from chunkenv.cli.bench.study_options import DATABASE, RESULTS
from chunkenv.utils.extras import require


def leaderboard(
    folder: Annotated[Path, typer.Argument(help="The folder that bench rtc wrote.")] = RESULTS / "rtc",
    charged: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The folder that bench charged wrote, for one more column.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For the two files; or one file, NAME.md or NAME.html.",
            show_default="the same folder",
        ),
    ] = None,
) -> None:
    """Rank the methods of a study: what each needs, solves at every delay, and costs; a page, and Markdown.

    Rows with an execution horizon of max(1, delay) count, of bench rtc or of a study of your own with the same fields.
    """
    require("bench", "matplotlib")
    from chunkenv.bench.report.write import write_leaderboard

    with contextlib.ExitStack() as stack:
        store = stack.enter_context(open_store(folder / DATABASE))
        slowed = stack.enter_context(open_store(charged / DATABASE)) if charged else None
        for path in write_leaderboard(store, slowed, folder if out is None else out):
            Console(highlight=False).print(f"{path}", soft_wrap=True)
