"""The leaderboard of a course: one HTML file, made from graded results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from chunkenv.bench.analysis.intervals import UNKNOWN, wilson
from chunkenv.bench.report.page import Content, to_html
from chunkenv.bench.report.tables import Entry, PlainTable, percent_entry
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import version
from chunkenv.utils.files import atomic_file

ABOUT = (
    "The share of episodes that each submission solves, by hidden latency model. All play the same episodes. The order "
    "is that of the mean over the models."
)
NOTE = "Solve rates in % with Wilson's 95 % intervals. Two submissions whose intervals overlap may be equally good."
Board: TypeAlias = Mapping[str, tuple[int, int]]
"""By latency model, how many episodes were solved, and of how many."""


def write_standings(folder: Path, out: Path, pseudonyms: bool = False) -> int:
    """Write the leaderboard of a folder of results.

    Args:
        folder: with `NAME.json` for each submission, as `chunkenv course grade --each` writes them.
        out: the HTML file.
        pseudonyms: whether 'submission 1', 'submission 2' ... stand there in place of names, in the order of the table.

    Returns:
        How many submissions are in it.

    Raises:
        ArgumentError: a file is no result, or none has a line for the leaderboard.
        UnwritableError: the page cannot be written.
    """
    boards = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    ranked = sorted(((name, board) for name, board in boards.items() if board), key=lambda each: -_mean(each[1]))
    if not ranked:
        raise ArgumentError(
            f"{folder} has no results with a leaderboard; grade an assignment that has one, with --each."
        )
    if pseudonyms:
        ranked = [(f"submission {place}", board) for place, (_, board) in enumerate(ranked, 1)]
    with atomic_file(out) as file:
        file.write(to_html(_content(make_table(dict(ranked)))).encode())
    return len(ranked)


def _content(table: PlainTable) -> Content:
    return Content(
        "Leaderboard", [ABOUT], [], [], [table], [], [], [("graded with", f"chunkenv {version('chunkenv')}")]
    )


def make_table(boards: Mapping[str, Board]) -> PlainTable:
    """The table: a line for each submission, in the order given, a column for each latency model.

    >>> make_table({"ada": {"bursty": (3, 4)}}).header
    ['submission', 'mean', 'bursty']
    """
    models = list(dict.fromkeys(name for board in boards.values() for name in board))
    rows = [
        [
            Entry(name, name),
            Entry(f"{100 * _mean(board):.0f}", _mean(board)),
            *(percent_entry(wilson(*board[model]) if model in board else UNKNOWN) for model in models),
        ]
        for name, board in boards.items()
    ]
    return PlainTable("Submissions", NOTE, ["submission", "mean", *models], rows, score=1)


def _mean(board: Board) -> float:
    """The mean solve rate over the models."""
    return sum(solved / episodes for solved, episodes in board.values()) / len(board)


def _read(path: Path) -> dict[str, tuple[int, int]]:
    """The lines of one submission; none if nothing was recorded."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["extra_data"]["board"]
        return {str(name): (int(solved), _at_least_one(int(episodes))) for name, (solved, episodes) in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArgumentError(f"{path} is no result of `chunkenv course grade`; remove it.") from error


def _at_least_one(episodes: int) -> int:
    if episodes < 1:
        raise ValueError(f"{episodes} episodes")
    return episodes
