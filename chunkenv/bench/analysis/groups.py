"""Any study's rows in groups: counted and averaged by the database, because there may be millions.

What is planned counts: rows of earlier, larger runs in the same file don't. Over several tasks everything is a mean of
the tasks' own means, here and in differences: each task weighs the same, however many of its episodes are there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from chunkenv.bench.analysis.intervals import Interval, interquartile_mean, mean_rate, paired_difference, pooled
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
        known: of how many of them it is known whether they were solved.
        score: the share of these that was solved, with Wilson's interval; in a study that tells of none, the return.
        middle: the interquartile mean of the return, where success is not known.
        means: of each measured result, by its name.
    """

    key: Key
    episodes: int
    known: int
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
        tasks: over how many tasks a group is, at most; each weighs the same.
        groups: in the order of the plan.
    """

    keys: list[str]
    shared: Row
    measured: list[str]
    solves: bool
    tasks: int
    groups: list[Group]


class Difference(NamedTuple):
    """What a method scores more than the baseline on the same episodes, in one setting of all else.

    Attributes:
        key: the setting.
        method: the method.
        pairs: how many episodes both have a score of.
        difference: of these.
    """

    key: Key
    method: str
    pairs: int
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
    measured = _measured(store)
    parts: dict[Key, list[Row]] = defaultdict(list)
    for part in _parts(store, list(dict.fromkeys([*varying, *_task(store)])), measured):
        parts[tuple(part[name] for name in varying)].append(part)
    solves = any(part["#known"] for tasks in parts.values() for part in tasks)
    returns = {} if solves else _returns(store, varying)
    groups = [_group(key, tasks, measured, returns) for key, tasks in parts.items()]
    return Groups(varying, shared, measured, solves, max(map(len, parts.values()), default=0), groups)


def _parts(store: Store, by: Sequence[str], measured: Sequence[str]) -> list[Row]:
    """Counts and means of the rows that are alike in some fields, in the order of the plan."""
    averages = "".join(f', AVG("{name}") AS "{name}"' for name in measured)
    names = "".join(f'"{name}", ' for name in by)
    grouped = f'GROUP BY {quote(by)} ORDER BY MIN("#place")' if by else ""
    found = store.select(
        f'SELECT {names} COUNT(*) AS "#episodes", TOTAL(success) AS "#solved", COUNT(success) AS "#known" {averages} '
        f"FROM {planned_rows(store)} {grouped}"
    )
    return [row for row in found if row["#episodes"]]


def _group(key: Key, tasks: list[Row], measured: list[str], returns: dict[Key, list[np.ndarray]]) -> Group:
    counts = [(int(task["#solved"]), task["#known"]) for task in tasks]
    values = {name: [task[name] for task in tasks if task[name] is not None] for name in measured}
    means = {name: sum(found) / len(found) for name, found in values.items() if found}
    episodes, known = sum(task["#episodes"] for task in tasks), sum(known for _, known in counts)
    if returns:
        return Group(key, episodes, known, pooled(returns[key]), interquartile_mean(returns[key]), means)
    return Group(key, episodes, known, mean_rate(counts), None, means)


def _task(store: Store) -> list[str]:
    """The field that names the task, if cells have one."""
    return ["task"] if "task" in store.columns.keys else []


def _measured(store: Store) -> list[str]:
    """The results with a mean of which some row has a value, in the order of the columns."""
    columns = {name: kind for name, kind in store.columns.all.items() if name not in store.columns.keys}
    names = [name for name, kind in columns.items() if name not in COUNTED and not kind.startswith("TEXT")]
    counts = ", ".join(f'COUNT("{name}") AS "{name}"' for name in names)
    known = store.select(f"SELECT {counts} FROM {planned_rows(store)}")[0]
    return [name for name in names if known[name]]


def _varying(store: Store, fields: Sequence[str]) -> tuple[list[str], Row]:
    """The fields that have several values, and those that have one."""
    table = "plan" if _has_plan(store) else "episodes"
    values = {name: store.select(f'SELECT DISTINCT "{name}" FROM {table}') for name in fields}
    shared = {name: found[0][name] for name, found in values.items() if len(found) == 1}
    return [name for name in fields if name not in shared], shared


def _returns(store: Store, keys: list[str]) -> dict[Key, list[np.ndarray]]:
    """The returns of each group, task by task."""
    found: dict[Key, dict[Key, list[float]]] = defaultdict(lambda: defaultdict(list))
    task = _task(store)
    names = quote(dict.fromkeys([*keys, *task, "return"]))
    for row in store.select(f"SELECT {names} FROM {planned_rows(store)}"):
        found[tuple(row[name] for name in keys)][tuple(row[name] for name in task)].append(row["return"])
    return {key: [np.array(values) for values in tasks.values()] for key, tasks in found.items()}


def _compare(store: Store, whole: Groups, method: str, baseline: str) -> list[Difference]:
    """A method against the baseline in every setting that both have."""
    score = "success" if whole.solves else '"return"'
    rest = [name for name in store.columns.keys if name != "method"]
    same = " AND ".join(f'a."{name}" = b."{name}"' for name in [*rest, "episode"])
    named = "".join(f'a."{name}", ' for name in rest)
    rows = store.select(
        f'SELECT {named} a.{score} AS "#first", b.{score} AS "#second", COUNT(*) AS "#pairs" '
        f"FROM {planned_rows(store)} a JOIN episodes b ON {same} WHERE a.method = ? AND b.method = ? "
        f'AND "#first" IS NOT NULL AND "#second" IS NOT NULL GROUP BY {named} "#first", "#second" '
        'ORDER BY MIN(a."#place")',
        (method, baseline),
    )
    fields, task = [name for name in whole.keys if name != "method"], _task(store)
    pairs: dict[Key, dict[Key, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        values = (np.repeat(float(row["#first"]), row["#pairs"]), np.repeat(float(row["#second"]), row["#pairs"]))
        pairs[tuple(row[name] for name in fields)][tuple(row[name] for name in task)].append(values)
    return [_difference(key, method, by_task.values()) for key, by_task in pairs.items()]


def _difference(key: Key, method: str, by_task: Iterable[list[Pair]]) -> Difference:
    first, second = ([np.concatenate([pair[side] for pair in pairs]) for pairs in by_task] for side in (0, 1))
    return Difference(key, method, sum(map(len, first)), paired_difference(first, second))


def planned_rows(store: Store) -> str:
    """The rows that count, with their cell's `#place` in the plan, as a table."""
    keys = quote(store.columns.keys)
    if not _has_plan(store):
        return '(SELECT *, 0 AS "#place" FROM episodes)'
    return f'(SELECT * FROM episodes JOIN plan USING ({keys}) WHERE episode < "#episodes")'


def _has_plan(store: Store) -> bool:
    """Databases of the first layout have none."""
    return bool(store.select("SELECT 1 FROM plan LIMIT 1"))
