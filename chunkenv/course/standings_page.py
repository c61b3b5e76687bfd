"""The leaderboard of a course: one HTML file, made from graded results."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from chunkenv.bench.analysis.intervals import UNKNOWN, wilson
from chunkenv.bench.report.page import Content, to_html
from chunkenv.bench.report.page.picture import Picture, svg_picture
from chunkenv.bench.report.tables import Entry, PlainTable, percent_entry
from chunkenv.course.delay_profiles import describe_profile, draw_profile_svg
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import version
from chunkenv.utils.files import atomic_file

ABOUT = (
    "The share of episodes that each submission solves, by hidden latency model. All play the same episodes. The order "
    "is that of the mean over the models; a model under which a submission failed counts 0."
)
NOTE = "Solve rates in % with Wilson's 95 % intervals. Two submissions whose intervals overlap may be equally good."
MODELS = "Latency models"
SHOWN = "Delays of inferences that follow each other, and how often each delay comes. A tick is one control step."
Board: TypeAlias = Mapping[str, tuple[int, int]]
"""By latency model, how many episodes were solved, and of how many."""


class Recorded(NamedTuple):
    """What the file of one submission has for the leaderboard.

    Attributes:
        board: its line.
        delays: by latency model delays in ticks, in their order.
    """

    board: Board
    delays: Mapping[str, list[int]]


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
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    boards = {name: each.board for name, each in found.items() if each.board}
    if not boards:
        raise ArgumentError(
            f"{folder} has no results with a leaderboard; grade an assignment that has one, with --each."
        )
    ranked = _rank(boards, pseudonyms)
    profiles = {model: delays for each in found.values() for model, delays in each.delays.items()}
    with atomic_file(out) as file:
        file.write(to_html(_content(make_table(ranked), profiles)).encode())
    return len(ranked)


def _rank(boards: Mapping[str, Board], pseudonyms: bool) -> dict[str, Board]:
    """The best first, and equal ones by name."""
    models = _models(boards)
    ranked = sorted(boards.items(), key=lambda each: -_mean(each[1], models))
    return {f"submission {place}" if pseudonyms else name: board for place, (name, board) in enumerate(ranked, 1)}


def _content(table: PlainTable, profiles: Mapping[str, list[int]]) -> Content:
    about = [ABOUT, *([f"{MODELS}, at the end: {SHOWN[0].lower()}{SHOWN[1:]}"] if profiles else [])]
    pictures = [_picture(model, delays) for model, delays in profiles.items()]
    made = [("graded with", f"chunkenv {version('chunkenv')}")]
    return Content("Leaderboard", about, [], [], [table], [], [], made, [(MODELS, pictures)])


def _picture(model: str, delays: list[int]) -> Picture:
    told = f"{model}: {describe_profile(delays)}"
    return svg_picture(told, draw_profile_svg(model, delays), f"Delays of {len(delays)} inferences, {told}.")


def make_table(boards: Mapping[str, Board]) -> PlainTable:
    """The table: a line for each submission, in the order given, a column for each latency model.

    >>> make_table({"ada": {"bursty": (3, 4)}}).header
    ['submission', 'mean', 'bursty']
    """
    models = _models(boards)
    rows = [
        [
            Entry(name, name),
            Entry(f"{100 * _mean(board, models):.0f}", _mean(board, models)),
            *(percent_entry(wilson(*board[model]) if model in board else UNKNOWN) for model in models),
        ]
        for name, board in boards.items()
    ]
    return PlainTable("Submissions", NOTE, ["submission", "mean", *models], rows, score=1)


def _models(boards: Mapping[str, Board]) -> list[str]:
    """Every latency model that a submission has a line for."""
    return list(dict.fromkeys(name for board in boards.values() for name in board))


def _mean(board: Board, models: Collection[str]) -> float:
    """The mean solve rate over the models, 0 where a submission failed."""
    return sum(solved / episodes for solved, episodes in board.values()) / len(models)


def _read(path: Path) -> Recorded:
    """What one submission has; nothing if nothing was recorded."""
    try:
        extra: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["extra_data"]
        board = {str(name): (int(n), _at_least(1, int(of))) for name, (n, of) in extra["board"].items()}
        delays = {str(name): [_at_least(0, int(each)) for each in own] for name, own in extra["delays"].items() if own}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArgumentError(f"{path} is no result of `chunkenv course grade`; grade it again, or remove it.") from error
    return Recorded(board, delays)


def _at_least(least: int, number: int) -> int:
    if number < least:
        raise ValueError(f"{number} is less than {least}")
    return number
