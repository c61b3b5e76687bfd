"""Any study's rows in groups: counted and averaged by the database, because there may be millions.

What is planned counts: rows of earlier, larger runs in the same file don't.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chunkenv.bench.analysis.intervals import Interval, interquartile_mean, paired_difference, pooled, wilson
from chunkenv.bench.store.columns import quote
from chunkenv.bench.store.study_store import Store
from chunkenv.evaluate import Row

Key: TypeAlias = tuple[Any, ...]
Pair: TypeAlias = tuple[np.ndarray, np.ndarray]
BASELINE = "naive"
COUNTED = ("episode", "seed", "success")


class Group(NamedTuple):
    """Episodes of the same settings.

    Attributes:
        key: the settings, in the order of `Groups.keys`.
        episodes: how many there are.
        score: the share solved with Wilson's interval; where success is not known, the mean return over the tasks.
        middle: the interquartile mean of the return, where success is not known.
        means: of each measured result, by its name.
    """

    key: Key
    episodes: int
    score: Interval
    middle: Interval | None
    means: dict[str, float]


class Groups(NamedTuple):
    """All groups of a study.

    Attributes:
        keys: the fields of its cells that tell them apart.
        shared: the fields that are the same for all, with their value.
        measured: the results that some row has.
        solves: whether the score is a share of episodes solved.
        groups: in the order of the plan.
    """

    keys: list[str]
    shared: Row
    measured: list[str]
    solves: bool
    groups: list[Group]


class Difference(NamedTuple):
    """What a method scores more than the baseline on the same episodes, in one setting of all else."""

    key: Key
    method: str
    difference: Interval


def overall(store: Store) -> Groups:
    """The groups over all tasks, if cells have tasks."""
    return _group_rows(store, [key for key in store.columns.keys if key != "task"])


def cells(store: Store) -> Groups:
    """The groups of each cell."""
    return _group_rows(store, list(store.columns.keys))


def differences(store: Store, whole: Groups) -> tuple[str, list[str], list[Difference]]:
    """Every method against one baseline: its name, the fields of the settings, and the paired differences.

    The baseline is the method 'naive', or else the first; nothing comes back of a study with a single method.

    Args:
        store: the rows.
        whole: their groups over all tasks.
    """
    if "method" not in whole.keys:
        return "", [], []
    methods = list(dict.fromkeys(group.key[whole.keys.index("method")] for group in whole.groups))
    baseline = BASELINE if BASELINE in methods else methods[0]
    fields = [key for key in whole.keys if key != "method"]
    compared = [each for name in methods if name != baseline for each in _compare(store, whole, name, baseline)]
    return baseline, fields, compared


def _group_rows(store: Store, fields: Sequence[str]) -> Groups:
    varying, shared = _varying(store, fields)
    totals = store.select(f"SELECT COUNT(success) AS known, {_counts(store)} FROM {_planned_rows(store)}")[0]
    measured = [name for name in _results(store) if totals[f"{name} known"]]
    solves = bool(totals["known"])
    averages = ", ".join(f'AVG("{name}") AS "{name}"' for name in measured)
    key, by = quote(varying), f"GROUP BY {quote(varying)} ORDER BY MIN(place)" if varying else ""
    rows = store.select(
        f"SELECT {key + ', ' if varying else ''} COUNT(*) AS n, COALESCE(SUM(success), 0) AS solved, "
        f"COUNT(success) AS known, {averages} FROM {_planned_rows(store)} {by}"
    )
    returns = {} if solves else _returns(store, varying)
    groups = [_group(row, varying, measured, returns) for row in rows if row["n"]]
    return Groups(varying, shared, measured, solves, groups)


def _group(row: Row, keys: list[str], measured: list[str], returns: dict[Key, list[np.ndarray]]) -> Group:
    key = tuple(row[name] for name in keys)
    means = {name: row[name] for name in measured if row[name] is not None}
    if returns:
        return Group(key, row["n"], pooled(returns[key]), interquartile_mean(returns[key]), means)
    nan = float("nan")
    rate = wilson(row["solved"], row["known"]) if row["known"] else Interval(nan, nan, nan)
    return Group(key, row["n"], rate, None, means)


def _varying(store: Store, fields: Sequence[str]) -> tuple[list[str], Row]:
    """The fields that have several values, and those that have one."""
    table = "plan" if _has_plan(store) else "episodes"
    values = {name: store.select(f'SELECT DISTINCT "{name}" AS value FROM {table}') for name in fields}
    shared = {name: found[0]["value"] for name, found in values.items() if len(found) == 1}
    return [name for name in fields if name not in shared], shared


def _returns(store: Store, keys: list[str]) -> dict[Key, list[np.ndarray]]:
    """The returns of each group, task by task."""
    task = '"task"' if "task" in store.columns.keys else "''"
    found: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    names = "".join(f'"{name}", ' for name in keys)
    for row in store.select(f'SELECT {names} {task} AS of_task, "return" FROM {_planned_rows(store)}'):
        found[tuple(row[name] for name in keys)][row["of_task"]].append(row["return"])
    return {key: [np.array(values) for values in tasks.values()] for key, tasks in found.items()}


def _compare(store: Store, whole: Groups, method: str, baseline: str) -> list[Difference]:
    """A method against the baseline in every setting that both have."""
    score = "success" if whole.solves else '"return"'
    rest = [name for name in store.columns.keys if name != "method"]
    same = " AND ".join(f'a."{name}" = b."{name}"' for name in [*rest, "episode"])
    named = ", ".join(f'a."{name}"' for name in rest)
    rows = store.select(
        f"SELECT {named}, a.{score} AS first, b.{score} AS second, COUNT(*) AS n, MIN(a.place) AS place "
        f"FROM {_planned_rows(store)} a JOIN episodes b ON {same} WHERE a.method = ? AND b.method = ? "
        f"AND first IS NOT NULL AND second IS NOT NULL GROUP BY {named}, first, second ORDER BY place",
        (method, baseline),
    )
    fields = [name for name in whole.keys if name != "method"]
    pairs: dict[Key, dict[str | None, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        values = (np.repeat(float(row["first"]), row["n"]), np.repeat(float(row["second"]), row["n"]))
        pairs[tuple(row[name] for name in fields)][row.get("task")].append(values)
    return [Difference(key, method, _difference(by_task.values())) for key, by_task in pairs.items()]


def _difference(by_task: Iterable[list[Pair]]) -> Interval:
    first, second = ([np.concatenate([pair[side] for pair in pairs]) for pairs in by_task] for side in (0, 1))
    return paired_difference(first, second)


def _planned_rows(store: Store) -> str:
    """The rows that count, with their cell's `place` in the plan, as a table."""
    keys = quote(store.columns.keys)
    if not _has_plan(store):
        return "(SELECT *, 0 AS place FROM episodes)"
    plan = f"(SELECT {keys}, episodes AS planned, rowid AS place FROM plan)"
    return f"(SELECT * FROM episodes JOIN {plan} USING ({keys}) WHERE episode < planned)"


def _has_plan(store: Store) -> bool:
    """Databases of the first layout have none."""
    return bool(store.select("SELECT 1 FROM plan LIMIT 1"))


def _results(store: Store) -> list[str]:
    """Results with a mean."""
    columns = {name: kind for name, kind in store.columns.all.items() if name not in store.columns.keys}
    return [name for name, kind in columns.items() if name not in COUNTED and not kind.startswith("TEXT")]


def _counts(store: Store) -> str:
    return ", ".join(f'COUNT("{name}") AS "{name} known"' for name in _results(store))
