"""Solve rates and paired contrasts of settings, for tables of millions of rows: counted in arrays, read by SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chunkenv.bench.analysis.intervals import Interval, pooled, wilson
from chunkenv.bench.analysis.solve_rates import Setting
from chunkenv.bench.store.columns import listed
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell, Study


def setting_of(cell: Cell) -> Setting:
    """What a `Cell` is beside its task."""
    return Setting(cell.method, cell.delay, cell.execution_horizon)


class Solved:
    """Which episodes of a study were solved, by setting and task.

    Args:
        study: its cells have a `task`; its episodes count, others in the store don't.
        store: with a row for each of them.
        setting_of: what a cell is beside its task, as a tuple.

    Attributes:
        tasks: in the order of the study.
    """

    def __init__(self, study: Study, store: Store, setting_of: Callable[[Any], Any] = setting_of) -> None:
        self.tasks: list[str] = list(dict.fromkeys(cell.task for cell in study.cells))
        self._solved: dict[Any, dict[str, np.ndarray]] = {}
        for cell in study.cells:
            self._solved.setdefault(setting_of(cell), {})[cell.task] = _solved(store, cell, study.episodes)

    @property
    def settings(self) -> list[Any]:
        """All settings, in the order of the study."""
        return list(self._solved)

    def rate(self, setting: Any, task: str | None = None) -> Interval:
        """The solve rate over all tasks, or of one, with Wilson's interval (see `analysis.cell_rate`)."""
        each = self._solved[setting]
        episodes = each[task] if task else np.concatenate(list(each.values()))
        return wilson(int(episodes.sum()), len(episodes))

    def contrast(self, plus: Sequence[Any], minus: Sequence[Any]) -> Interval:
        """The mean over tasks and paired episodes of (solved under `plus`) - (solved under `minus`), summed over each.

        One setting on either side is a paired difference; two are a difference of differences.
        """
        by_task = []
        for task in self.tasks:
            gains = [self._solved[setting][task].astype(np.int64) for setting in plus]
            losses = [self._solved[setting][task].astype(np.int64) for setting in minus]
            by_task.append(sum(gains) - sum(losses))
        return pooled(by_task)

    def has(self, settings: Iterable[Any]) -> bool:
        """Whether all of these settings were played."""
        return all(setting in self._solved for setting in settings)


class Claim(NamedTuple):
    """What is expected: that the contrast is above `-margin`.

    Attributes:
        text: the claim in words.
        plus: settings, and
        minus: settings, as `Solved.contrast` has them.
        margin: 0, or how much less still counts as equal.
    """

    text: str
    plus: tuple[Setting, ...]
    minus: tuple[Setting, ...]
    margin: float = 0.0


class Finding(NamedTuple):
    """A claim, the contrast that was found, and what follows: 'confirmed', 'refuted' or 'undecided'."""

    claim: Claim
    contrast: Interval
    verdict: str


def judge(claims: Iterable[Claim], solved: Solved) -> list[Finding]:
    """What the rows say of each claim whose settings were played."""
    played = [claim for claim in claims if solved.has(claim.plus + claim.minus)]
    return [_finding(claim, solved.contrast(claim.plus, claim.minus)) for claim in played]


def _finding(claim: Claim, contrast: Interval) -> Finding:
    """Confirmed or refuted where the whole interval says so.

    >>> _finding(Claim("a beats b", (), ()), Interval(0.2, 0.1, 0.3)).verdict
    'confirmed'
    >>> _finding(Claim("a is no worse than b", (), (), margin=0.02), Interval(0.0, -0.01, 0.01)).verdict
    'confirmed'
    """
    if contrast.low > -claim.margin:
        return Finding(claim, contrast, "confirmed")
    return Finding(claim, contrast, "refuted" if contrast.high < -claim.margin else "undecided")


def _solved(store: Store, cell: Any, episodes: int) -> np.ndarray:
    """bool[episodes], in order."""
    fields = dataclasses.asdict(cell)
    condition = " AND ".join(f"{listed([name])} = ?" for name in fields)
    rows = store.select(f"SELECT episode, success FROM episodes WHERE {condition}", list(fields.values()))
    solved = np.zeros(episodes, bool)
    for row in rows:
        if row["episode"] < episodes:
            solved[row["episode"]] = bool(row["success"])
    return solved
