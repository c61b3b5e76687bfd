"""Solve rates and paired differences of settings: of rows, and of the store of a study with millions of them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chunkenv.bench.analysis.intervals import Interval, mean_rate, paired_difference, pooled
from chunkenv.bench.store.columns import quote
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import AnyCell, Cell, Study
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
    """The share of some episodes that were solved, with Wilson's interval.

    Args:
        solved: truths [n]; None and NaN are episodes of which that is not known, and do not count.
    """
    return mean_rate([_counts(np.asarray(solved, np.float64))])


def _counts(solved: NDArray[np.float64]) -> tuple[int, int]:
    """How many episodes were solved, of how many of which that is known."""
    return int(np.nansum(solved)), int(np.isfinite(solved).sum())


def rows_of(study: Study, rows: Iterable[Row]) -> list[Row]:
    """The rows of the study's units, in the order of its cells; a file may hold more, of earlier and larger runs."""
    names = [*(field.name for field in dataclasses.fields(study.cell)), "episode"]
    found = {tuple(row[name] for name in names): row for row in rows}
    units = [(*dataclasses.astuple(cell), episode) for cell in study.cells for episode in range(study.episodes)]
    return [found[unit] for unit in units if unit in found]


def pooled_rates(rows: Iterable[Row]) -> dict[Setting, Interval]:
    """The solve rate of every setting over all tasks, each of which weighs the same."""
    groups: dict[Setting, dict[str, list[bool | None]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[_setting_of_row(row)][row["task"]].append(row["success"])
    return {
        setting: mean_rate([_counts(np.asarray(solved, np.float64)) for solved in tasks.values()])
        for setting, tasks in groups.items()
    }


def solve_difference(rows: Iterable[Row], first: Setting, second: Setting) -> Interval:
    """What share of the same episodes `first` solves more than `second`, each task weighing the same.

    Episodes of which it is not known for both do not count.
    """
    solved: dict[Setting, dict[tuple[str, int], bool]] = defaultdict(dict)
    for row in rows:
        if row["success"] is not None:
            solved[_setting_of_row(row)][row["task"], row["episode"]] = row["success"]
    by_task: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for key in sorted(solved[first].keys() & solved[second].keys()):
        by_task[key[0]].append((solved[first][key], solved[second][key]))
    ones, others = ([[pair[side] for pair in pairs] for pairs in by_task.values()] for side in (0, 1))
    return paired_difference(ones, others)


class Solved(Generic[S]):
    """Which episodes of a study were solved, by setting and task; those of which it is not known do not count.

    Args:
        study: its cells have a `task`; its episodes count, others in the store don't.
        store: with their rows.
        setting_of: what a cell is beside its task, as a tuple.

    Attributes:
        tasks: in the order of the study.
    """

    def __init__(self, study: Study, store: Store, setting_of: Callable[[AnyCell], S] = setting_of) -> None:
        self.tasks: list[str] = list(dict.fromkeys(cell.task for cell in study.cells))
        self._solved: dict[S, dict[str, NDArray[np.float64]]] = {}
        for cell in study.cells:
            self._solved.setdefault(setting_of(cell), {})[cell.task] = _read_solved(store, cell, study.episodes)

    @property
    def settings(self) -> list[S]:
        """All settings, in the order of the study."""
        return list(self._solved)

    def rate(self, setting: S, task: str | None = None) -> Interval:
        """The solve rate over all tasks, or of one (see `mean_rate`)."""
        each = self._solved[setting]
        return mean_rate([_counts(each[task])] if task else [_counts(solved) for solved in each.values()])

    def known(self, setting: S) -> int:
        """Of how many episodes it is known whether they were solved."""
        return sum(_counts(solved)[1] for solved in self._solved[setting].values())

    def contrast(self, plus: Sequence[S], minus: Sequence[S]) -> Interval:
        """The mean over tasks and paired episodes of (solved under `plus`) - (solved under `minus`), summed over each.

        One setting on either side is a paired difference; two are a difference of differences.
        """
        by_task = []
        for task in self.tasks:
            gains = [self._solved[setting][task] for setting in plus]
            losses = [self._solved[setting][task] for setting in minus]
            contrast = np.sum(gains, axis=0) - np.sum(losses, axis=0)  # NaN where one of them is not known
            by_task.append(contrast[np.isfinite(contrast)])
        return pooled([task for task in by_task if len(task)], bounds=(-len(minus), len(plus)))

    def has(self, settings: Iterable[S]) -> bool:
        """Whether all of these settings were played."""
        return all(setting in self._solved for setting in settings)


def _setting_of_row(row: Row) -> Setting:
    return Setting(row["method"], row["delay"], row["execution_horizon"])


def _read_solved(store: Store, cell: AnyCell, episodes: int) -> NDArray[np.float64]:
    """0 or 1 for each of the episodes, in order; NaN where it is not known."""
    fields = dataclasses.asdict(cell)
    condition = " AND ".join(f"{quote([name])} = ?" for name in fields)
    rows = store.select(f"SELECT episode, success FROM episodes WHERE {condition}", list(fields.values()))
    solved = np.full(episodes, np.nan)
    for row in rows:
        if row["episode"] < episodes and row["success"] is not None:
            solved[row["episode"]] = row["success"]
    return solved
