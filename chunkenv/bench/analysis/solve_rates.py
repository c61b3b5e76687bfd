"""From rows to solve rates: per cell, pooled over tasks, and the difference between two methods on paired episodes."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chunkenv.bench.analysis.intervals import Interval, pooled, wilson
from chunkenv.bench.study import Study, Unit
from chunkenv.evaluate import Row


class Setting(NamedTuple):
    """What a pooled solve rate is of."""

    method: str
    delay: int
    execution_horizon: int


def rows_of(study: Study, rows: Iterable[Row]) -> list[Row]:
    """The rows of the study's units, in the order of its cells; a file may hold more, of earlier and larger runs."""
    kind = type(study.cells[0])
    names = [field.name for field in dataclasses.fields(kind)]
    found = {Unit(kind(*(row[name] for name in names)), row["episode"]): row for row in rows}
    units = [Unit(cell, episode) for cell in study.cells for episode in range(study.episodes)]
    return [found[unit] for unit in units if unit in found]


def cell_rate(rows: Sequence[Row]) -> Interval:
    """The solve rate of some episodes with Wilson's interval.

    It also serves episodes of several tasks, the same number of each: there the interval is somewhat too wide, because
    the sum over tasks of unequal difficulty varies less than a binomial. (A bootstrap over the episodes of each task
    would be too narrow: with three episodes a task, nine in ten solved, its 95 % cover 87 %.)
    """
    return wilson(sum(row["success"] for row in rows), len(rows))


def pooled_rates(rows: Iterable[Row]) -> dict[Setting, Interval]:
    """The solve rate of every setting over all tasks."""
    groups: dict[Setting, list[Row]] = defaultdict(list)
    for row in rows:
        groups[Setting(row["method"], row["delay"], row["execution_horizon"])].append(row)
    return {setting: cell_rate(group) for setting, group in groups.items()}


def paired_difference(rows: Iterable[Row], first: Setting, second: Setting) -> Interval:
    """What share of the same episodes `first` solves more than `second`, each task weighing the same."""
    solved: dict[Setting, dict[tuple[str, int], bool]] = {first: {}, second: {}}
    for row in rows:
        setting = Setting(row["method"], row["delay"], row["execution_horizon"])
        if setting in solved:
            solved[setting][row["task"], row["episode"]] = row["success"]
    by_task: dict[str, list[int]] = defaultdict(list)
    for task, episode in sorted(solved[first].keys() & solved[second].keys()):
        by_task[task].append(solved[first][task, episode] - solved[second][task, episode])
    return pooled(list(by_task.values()))
