"""Solve rates and paired differences of settings: of rows, and of the store of a study with millions of them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chunkenv.bench.analysis.intervals import Interval, paired_difference, pooled, wilson
from chunkenv.bench.store.columns import quote
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import AnyCell, Cell, Study, Unit
from chunkenv.evaluate import Row

S = TypeVar("S", bound=Hashable)


class Setting(NamedTuple):
    """What a `Cell` is beside its task."""

    method: str
    delay: int
    execution_horizon: int


def setting_of(cell: Cell) -> Setting:
    """The setting of a `Cell`."""
    return Setting(cell.method, cell.delay, cell.execution_horizon)


def solve_rate(solved: ArrayLike) -> Interval:
    """The share of some episodes that were solved (bool[n]), with Wilson's interval.

    It also serves episodes of several tasks, the same number of each: there the interval is somewhat too wide, because
    the sum over tasks of unequal difficulty varies less than a binomial. (A bootstrap over the episodes of each task
    would be too narrow: with three episodes a task, nine in ten solved, its 95 % cover 87 %.)
    """
    return wilson(int(np.sum(solved)), np.size(solved))


def rows_of(study: Study, rows: Iterable[Row]) -> list[Row]:
    """The rows of the study's units, in the order of its cells; a file may hold more, of earlier and larger runs."""
    names = [field.name for field in dataclasses.fields(study.cell)]
    found = {Unit(study.cell(*(row[name] for name in names)), row["episode"]): row for row in rows}
    units = [Unit(cell, episode) for cell in study.cells for episode in range(study.episodes)]
    return [found[unit] for unit in units if unit in found]


def pooled_rates(rows: Iterable[Row]) -> dict[Setting, Interval]:
    """The solve rate of every setting over all tasks."""
    groups: dict[Setting, list[bool]] = defaultdict(list)
    for row in rows:
        groups[_setting_of_row(row)].append(row["success"])
    return {setting: solve_rate(group) for setting, group in groups.items()}


def solve_difference(rows: Iterable[Row], first: Setting, second: Setting) -> Interval:
    """What share of the same episodes `first` solves more than `second`, each task weighing the same."""
    solved: dict[Setting, dict[tuple[str, int], bool]] = defaultdict(dict)
    for row in rows:
        solved[_setting_of_row(row)][row["task"], row["episode"]] = row["success"]
    by_task: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for key in sorted(solved[first].keys() & solved[second].keys()):
        by_task[key[0]].append((solved[first][key], solved[second][key]))
    ones, others = ([[pair[side] for pair in pairs] for pairs in by_task.values()] for side in (0, 1))
    return paired_difference(ones, others)


class Solved(Generic[S]):
    """Which episodes of a study were solved, by setting and task.

    Args:
        study: its cells have a `task`; its episodes count, others in the store don't.
        store: with a row for each of them.
        setting_of: what a cell is beside its task, as a tuple.

    Attributes:
        tasks: in the order of the study.
    """

    def __init__(self, study: Study, store: Store, setting_of: Callable[[AnyCell], S] = setting_of) -> None:
        self.tasks: list[str] = list(dict.fromkeys(cell.task for cell in study.cells))
        self._solved: dict[S, dict[str, NDArray[np.bool_]]] = {}
        for cell in study.cells:
            self._solved.setdefault(setting_of(cell), {})[cell.task] = _read_solved(store, cell, study.episodes)

    @property
    def settings(self) -> list[S]:
        """All settings, in the order of the study."""
        return list(self._solved)

    def rate(self, setting: S, task: str | None = None) -> Interval:
        """The solve rate over all tasks, or of one, with Wilson's interval (see `solve_rate`)."""
        each = self._solved[setting]
        return solve_rate(each[task] if task else np.concatenate(list(each.values())))

    def contrast(self, plus: Sequence[S], minus: Sequence[S]) -> Interval:
        """The mean over tasks and paired episodes of (solved under `plus`) - (solved under `minus`), summed over each.

        One setting on either side is a paired difference; two are a difference of differences.
        """
        by_task = []
        for task in self.tasks:
            gains = [self._solved[setting][task].astype(np.int64) for setting in plus]
            losses = [self._solved[setting][task].astype(np.int64) for setting in minus]
            by_task.append(sum(gains) - sum(losses))
        return pooled(by_task)

    def has(self, settings: Iterable[S]) -> bool:
        """Whether all of these settings were played."""
        return all(setting in self._solved for setting in settings)


def _setting_of_row(row: Row) -> Setting:
    return Setting(row["method"], row["delay"], row["execution_horizon"])


def _read_solved(store: Store, cell: AnyCell, episodes: int) -> NDArray[np.bool_]:
    """bool[episodes], in order."""
    fields = dataclasses.asdict(cell)
    condition = " AND ".join(f"{quote([name])} = ?" for name in fields)
    rows = store.select(f"SELECT episode, success FROM episodes WHERE {condition}", list(fields.values()))
    solved = np.zeros(episodes, bool)
    for row in rows:
        if row["episode"] < episodes:
            solved[row["episode"]] = bool(row["success"])
    return solved
