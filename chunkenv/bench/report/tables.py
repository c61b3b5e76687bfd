"""Tables of any study, for the terminal, for a page and for Markdown alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from rich.table import Table

from chunkenv.bench.analysis.groups import Difference, Group, Groups, cells, differences
from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.store.study_store import Store
from chunkenv.evaluate.row import EPISODE, MEASURES

COLUMNS = EPISODE | MEASURES


class Entry(NamedTuple):
    """What stands in a table, and what it is sorted by."""

    text: str
    value: object


class PlainTable(NamedTuple):
    """A table: its title, a line about it, a header, and rows of entries."""

    title: str
    note: str
    header: list[str]
    rows: list[list[Entry]]


def make_tables(store: Store, whole: Groups) -> list[PlainTable]:
    """All tables of a study: over the tasks, against the baseline, cell by cell.

    Args:
        store: the rows.
        whole: their groups over all tasks.
    """
    by_cell = cells(store)
    found = [group_table("Results" if by_cell.keys == whole.keys else "Over all tasks", whole)]
    baseline, fields, compared = differences(store, whole)
    if compared:
        found.append(_difference_table(baseline, fields, compared, whole.solves))
    if by_cell.keys != whole.keys:
        found.append(group_table("Cell by cell", by_cell))
    return found


def terminal_table(groups: Groups) -> Table:
    """The scores of groups as the terminal shows them, without what else was measured."""
    plain = group_table("", groups._replace(measured=[]))
    table = Table(box=None, padding=(0, 2, 0, 0), caption=plain.note, caption_justify="left")
    for index, name in enumerate(plain.header):
        table.add_column(name, justify="right" if numeric(plain, index) else "left")
    for row in plain.rows:
        table.add_row(*(entry.text for entry in row))
    return table


def numeric(table: PlainTable, column: int) -> bool:
    """Whether a column holds numbers."""
    return all(isinstance(row[column].value, int | float) for row in table.rows)


def group_table(title: str, groups: Groups) -> PlainTable:
    """A line for each group."""
    scores = ["solved, % (95 % interval)"] if groups.solves else ["return (95 % interval)", "interquartile mean"]
    measured = [name for name in groups.measured if name != "return" or groups.solves]
    header = [
        *(name.replace("_", " ") for name in groups.keys),
        "episodes",
        *scores,
        *(COLUMNS[name].heading if name in COLUMNS else name for name in measured),
    ]
    rows = [_group_row(group, groups.solves, measured) for group in groups.groups]
    shared = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in groups.shared.items())
    note = "Intervals: Wilson." if groups.solves else "Intervals: stratified bootstrap."
    return PlainTable(title, f"For all: {shared}. {note}" if shared else note, header, rows)


def _group_row(group: Group, solves: bool, measured: list[str]) -> list[Entry]:
    key = [Entry(str(value), value) for value in group.key]
    scores = [_interval(group.score, _percent)] if solves else [_interval(group.score, _number)]
    middle = [] if group.middle is None else [_interval(group.middle, _number)]
    means = [_mean(group.means.get(name)) for name in measured]
    return [*key, Entry(str(group.episodes), group.episodes), *scores, *middle, *means]


def _difference_table(baseline: str, fields: list[str], compared: list[Difference], solves: bool) -> PlainTable:
    what = "points" if solves else "return"
    header = ["method", *(name.replace("_", " ") for name in fields), f"minus {baseline}, {what} (95 % interval)"]
    rows = [
        [
            Entry(each.method, each.method),
            *(Entry(str(value), value) for value in each.key),
            _interval(each.difference, _points if solves else _number),
        ]
        for each in compared
    ]
    note = "Paired on the same episodes; intervals: stratified bootstrap over the episodes of each task."
    return PlainTable(f"Against {baseline}", note, header, rows)


def _interval(interval: Interval, shown: Callable[[float], str]) -> Entry:
    ends = "" if math.isnan(interval.low) else f" ({shown(interval.low)} to {shown(interval.high)})"
    return Entry(shown(interval.estimate) + ends, interval.estimate)


def _mean(value: float | None) -> Entry:
    return Entry("", -math.inf) if value is None else Entry(_number(value), value)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
