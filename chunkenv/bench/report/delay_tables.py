"""Tables for the terminal, with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.analysis.solve_rates import Setting, pooled_rates, solve_difference
from chunkenv.evaluate import Row


def pooled_table(rows: Sequence[Row]) -> Table:
    """Solve rates over all tasks: a line for each delay, a column for each method, and the first two's difference."""
    methods, tasks = _distinct(rows, "method"), _distinct(rows, "task")
    rates = pooled_rates(rows)
    horizons = len(_distinct(rows, "execution_horizon")) > 1
    table = Table(title=f"Solve rate over {_count(len(tasks), 'task')}, % (95 % interval)", title_justify="left")
    for name in ["delay", *(["execution horizon"] if horizons else []), *methods]:
        table.add_column(name, justify="right")
    if len(methods) > 1:
        table.add_column(f"{methods[0]} minus {methods[1]}", justify="right")
    for delay, horizon in sorted({(setting.delay, setting.execution_horizon) for setting in rates}):
        settings = [Setting(method, delay, horizon) for method in methods]
        line = [str(delay), *([str(horizon)] if horizons else []), *(percent(rates[setting]) for setting in settings)]
        if len(methods) > 1:
            line.append(points(solve_difference(rows, settings[0], settings[1])))
        table.add_row(*line)
    return table


def task_table(rows: Sequence[Row]) -> Table:
    """Episodes solved, task by task: a column for each delay, the methods' counts side by side."""
    methods, delays = _distinct(rows, "method"), sorted(_distinct(rows, "delay"))
    episodes = len(rows) // len({(row["task"], row["method"], row["delay"]) for row in rows})
    table = Table(title=f"Episodes solved of {episodes}: {' / '.join(methods)}", title_justify="left")
    table.add_column("task", no_wrap=True)
    for delay in delays:
        table.add_column(f"delay {delay}", justify="right")
    for task in _distinct(rows, "task"):
        table.add_row(task, *(_counts(rows, task, delay, methods) for delay in delays))
    return table


def _counts(rows: Sequence[Row], task: str, delay: int, methods: list[str]) -> str:
    here = [row for row in rows if (row["task"], row["delay"]) == (task, delay)]
    return " / ".join(_solved([row["success"] for row in here if row["method"] == method]) for method in methods)


def _solved(successes: list[bool | None]) -> str:
    """How many were solved; and of how many, where that is not known of all."""
    known = [success for success in successes if success is not None]
    return f"{sum(known)}" + f" of {len(known)} known" * (len(known) < len(successes))


def percent(rate: Interval) -> str:
    """A rate in percent with its interval.

    >>> percent(Interval(0.5, 0.4, 0.6))
    '50 (40 to 60)'
    """
    if math.isnan(rate.estimate):
        return "not known"
    return f"{100 * rate.estimate:.0f} ({100 * rate.low:.0f} to {100 * rate.high:.0f})"


def points(difference: Interval) -> str:
    """A difference in percentage points with its interval, if there is one."""
    if math.isnan(difference.estimate):
        return "not known"
    if math.isnan(difference.low):
        return f"{100 * difference.estimate:+.0f}"
    return f"{100 * difference.estimate:+.0f} ({100 * difference.low:+.0f} to {100 * difference.high:+.0f})"


def _distinct(rows: Sequence[Row], key: str) -> list:
    return list(dict.fromkeys(row[key] for row in rows))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
