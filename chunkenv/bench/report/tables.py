"""Tables of any study, for the terminal, for a page and for Markdown alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from rich.markup import escape
from rich.table import Table

from chunkenv.bench.analysis.groups import Difference, Group, Groups, cells, differences
from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.report.number_format import number_format
from chunkenv.bench.store.study_store import Store
from chunkenv.evaluate.row import EPISODE, MEASURES

COLUMNS = EPISODE | MEASURES
SCORES = ("solved, % (95 % interval)", "return (95 % interval)")
"""Headings of the score."""
Column: TypeAlias = "tuple[str, list[Entry]]"
"""How it is headed, and what stands in it."""


class Entry(NamedTuple):
    """What stands in a table, and what it is sorted by."""

    text: str
    value: object


class PlainTable(NamedTuple):
    """A table.

    Attributes:
        title: above it.
        note: a line about it.
        header: the names of its columns.
        rows: of entries.
        score: the place of the column that readers look for: a page shows it first, and keeps it in sight.
    """

    title: str
    note: str
    header: list[str]
    rows: list[list[Entry]]
    score: int = 0


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
        found.append(_difference_table(baseline, fields, compared, whole))
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
        table.add_row(*(escape(entry.text) for entry in row))  # a task may be called arm[left]
    return table


def numeric(table: PlainTable, column: int) -> bool:
    """Whether a column holds numbers."""
    return all(isinstance(row[column].value, int | float) for row in table.rows)


def group_table(title: str, groups: Groups) -> PlainTable:
    """A line for each group."""
    columns = [
        *(
            (_words(name), [_plain(group.key[place]) for group in groups.groups])
            for place, name in enumerate(groups.keys)
        ),
        ("episodes", [_plain(group.episodes) for group in groups.groups]),
        *(_rates(groups.groups) if groups.solves else _returns(groups.groups)),
        *(_means(groups.groups, name) for name in groups.measured if name != "return" or groups.solves),
    ]
    rows = [list(row) for row in zip(*(entries for _, entries in columns), strict=True)]
    header = [name for name, _ in columns]
    score = next(place for place, name in enumerate(header) if name in SCORES)
    return PlainTable(title, _note(groups), header, rows, score)


def _note(groups: Groups) -> str:
    shared = ", ".join(f"{_words(name)} {value}" for name, value in groups.shared.items())
    over = f"Over {groups.tasks} tasks, each weighing the same." if groups.tasks > 1 else ""
    intervals = "Intervals: Wilson." if groups.solves else "Intervals: stratified bootstrap."
    return " ".join(filter(None, [f"For all: {shared}." if shared else "", over, intervals]))


def _rates(groups: Sequence[Group]) -> list[Column]:
    """The share solved, and of how many episodes that is known where it is not known of all."""
    known = ("success known of", [_plain(group.known) for group in groups])
    rates = (SCORES[0], [percent_entry(group.score) for group in groups])
    return [known, rates] if any(group.known < group.episodes for group in groups) else [rates]


def _returns(groups: Sequence[Group]) -> list[Column]:
    middles = [group.middle for group in groups if group.middle is not None]
    write = number_format(_numbers([*(group.score for group in groups), *middles]))
    return [
        (SCORES[1], [_interval(group.score, write) for group in groups]),
        ("interquartile mean", [_interval(middle, write) for middle in middles]),
    ]


def _means(groups: Sequence[Group], name: str) -> Column:
    """What was measured, in the mean; nothing where it was not."""
    found = [group.means.get(name) for group in groups]
    write = number_format(value for value in found if value is not None)
    entries = [Entry("", -math.inf) if value is None else Entry(write(value), value) for value in found]
    return COLUMNS[name].heading if name in COLUMNS else name, entries


def _difference_table(baseline: str, fields: list[str], compared: list[Difference], whole: Groups) -> PlainTable:
    what = "points" if whole.solves else "return"
    header = ["method", *map(_words, fields), "pairs", f"minus {baseline}, {what} (95 % interval)"]
    # At the scale of the returns: what is nothing beside them is no difference.
    write = _points if whole.solves else number_format(_numbers([group.score for group in whole.groups]), sign=True)
    rows = [
        [_plain(each.method), *map(_plain, each.key), _plain(each.pairs), _difference(each.difference, write)]
        for each in compared
    ]
    note = "Paired on the same episodes; intervals: stratified bootstrap over the episodes of each task" + (
        ", or Wilson's where no pair differs." if whole.solves else "."
    )
    return PlainTable(f"Against {baseline}", note, header, rows, score=len(header) - 1)


def _difference(interval: Interval, write: Callable[[float], str]) -> Entry:
    """A difference; in words where there is none in any pair, and so nothing to tell an interval from."""
    ends = [end for end in interval if not math.isnan(end)]
    if all(write(end) == write(0.0) for end in ends):
        return Entry("no difference in any pair" if len(ends) == 1 else "no difference", interval.estimate)
    return _interval(interval, write)


def percent_entry(rate: Interval) -> Entry:
    """A rate in percent with its interval.

    >>> percent_entry(Interval(0.5, 0.4, 0.6)).text
    '50.0 (40.0 to 60.0)'
    """
    return _interval(rate, _percent)


def _interval(interval: Interval, write: Callable[[float], str]) -> Entry:
    if math.isnan(interval.estimate):
        return Entry("not known", -math.inf)
    ends = "" if math.isnan(interval.low) else f" ({write(interval.low)} to {write(interval.high)})"
    return Entry(write(interval.estimate) + ends, interval.estimate)


def _numbers(intervals: Iterable[Interval]) -> list[float]:
    return [end for interval in intervals for end in interval]


def _plain(value: object) -> Entry:
    return Entry(str(value), value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
