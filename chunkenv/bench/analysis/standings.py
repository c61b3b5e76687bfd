"""How methods stand against each other over all delays: their rates, their mean, and which ranks they may have."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from chunkenv.bench.analysis.groups import Group, Groups, overall, planned_rows
from chunkenv.bench.analysis.intervals import UNKNOWN, Interval, pooled
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Row

RESAMPLES = 2_000
"""Of each of the many differences between two methods."""
BY_DELAY = "execution_horizon = MAX(1, delay)"
FIELDS = ("task", "method", "delay", "execution_horizon")

Shares: TypeAlias = Mapping[tuple[str, int], float]
"""By task and episode, the share of its settings in which it was solved."""


class Standing(NamedTuple):
    """A method's place.

    Attributes:
        method: its name.
        ranks: the best and the worst rank that it may have: what surely solves more stands above it, what surely solves
            less below it. None if its mean is not known.
        mean: the solve rate over all delays, with a stratified bootstrap interval.
        rates: the solve rate at each delay, with Wilson's interval.
        evaluations: of the denoiser for a chunk; None if not measured, as are the next two.
        boundary_jump: mean norm of the action's change where the chunk switches.
        jerk: mean norm of the actions' third difference.
    """

    method: str
    ranks: tuple[int, int] | None
    mean: Interval
    rates: dict[int, Interval]
    evaluations: float | None
    boundary_jump: float | None
    jerk: float | None


def find_standings(store: Store) -> list[Standing]:
    """All methods, that with the highest mean first; those whose mean is not known last.

    Args:
        store: rows with the fields of `Cell`; those with an execution horizon of max(1, delay) count.

    Raises:
        ArgumentError: if there are no such rows, or none says whether it was solved.
    """
    groups = _groups_by_method(store)
    shares = episode_shares(store, BY_DELAY)
    ranks = _ranks(shares)
    found = [_standing(method, own, ranks.get(method), shares) for method, own in groups.items()]
    return sorted(found, key=lambda standing: (math.isnan(standing.mean.estimate), -standing.mean.estimate))


def mean_rates(store: Store) -> dict[str, Interval]:
    """Each method's solve rate over all settings of a study, such as slowdowns; intervals: stratified bootstrap."""
    return {method: mean_rate_of(own) for method, own in episode_shares(store).items()}


def episode_shares(store: Store, where: str = "1") -> dict[str, Shares]:
    """For each method, in how large a share of its settings each episode was solved.

    Episodes that are not there in as many settings as others, or of which something is not known, are left out.

    Args:
        store: cells have a task and a method.
        where: a condition in SQL on the rows that count.
    """
    rows = store.select(
        f'SELECT method, task, episode, AVG(success) AS "#share", COUNT(success) AS "#known" '
        f"FROM {planned_rows(store)} WHERE {where} GROUP BY method, task, episode ORDER BY task, episode"
    )
    settings = max((row["#known"] for row in rows), default=0)
    shares: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    for row in rows:
        if row["#known"] == settings > 0:
            shares[row["method"]][row["task"], row["episode"]] = row["#share"]
    return dict(shares)


def mean_rate_of(shares: Shares) -> Interval:
    """The mean over tasks of the episodes' shares, with a stratified bootstrap interval."""
    by_task = _by_task(shares)
    return pooled(by_task, bounds=(0, 1)) if by_task else UNKNOWN


def _groups_by_method(store: Store) -> dict[str, dict[int, Group]]:
    """The groups over all tasks with an execution horizon of max(1, delay), by method and delay."""
    if missing := [name for name in FIELDS if name not in store.columns.keys]:
        raise ArgumentError(
            f"{store.path} has cells without {missing[0]!r}; a leaderboard needs those of chunkenv.bench.Cell, as "
            "chunkenv bench rtc has them."
        )
    whole, found = overall(store), defaultdict[str, dict[int, Group]](dict)
    for group in whole.groups:
        fields = _fields(whole, group)
        if fields["execution_horizon"] == max(1, fields["delay"]):
            found[fields["method"]][fields["delay"]] = group
    if not found or not whole.solves:
        what = "rows with an execution horizon of max(1, delay)" if whole.solves else "rows that say what was solved"
        raise ArgumentError(f"{store.path} has no {what}; play, for example, chunkenv bench rtc first.")
    return found


def _fields(groups: Groups, group: Group) -> Row:
    return groups.shared | dict(zip(groups.keys, group.key, strict=True))


def _standing(
    method: str, groups: Mapping[int, Group], ranks: tuple[int, int] | None, shares: Mapping[str, Shares]
) -> Standing:
    rates = {delay: groups[delay].score for delay in sorted(groups)}
    mean = mean_rate_of(shares.get(method, {}))
    evaluations, decisions = (_mean(groups, name) for name in ("denoiser_evaluations", "decisions"))
    per_chunk = evaluations / decisions if evaluations and decisions else None
    return Standing(method, ranks, mean, rates, per_chunk, _mean(groups, "boundary_jump"), _mean(groups, "jerk"))


def _mean(groups: Mapping[int, Group], name: str) -> float | None:
    """What was measured, in the mean over delays; None where it was not measured at each."""
    values = [group.means.get(name) for group in groups.values()]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _ranks(shares: Mapping[str, Shares]) -> dict[str, tuple[int, int]]:
    above, below = dict.fromkeys(shares, 0), dict.fromkeys(shares, 0)
    for one, other in itertools.combinations(shares, 2):
        difference = _difference(shares[one], shares[other])
        if difference.excludes_zero:
            better, worse = (one, other) if difference.estimate > 0 else (other, one)
            below[better] += 1
            above[worse] += 1
    return {method: (1 + above[method], len(shares) - below[method]) for method in shares}


def _difference(one: Shares, other: Shares) -> Interval:
    """Of the episodes that both have, what share more of its settings `one` solves."""
    by_task = _by_task({key: one[key] - other[key] for key in one if key in other})
    return pooled(by_task, resamples=RESAMPLES, bounds=(-1, 1)) if by_task else UNKNOWN


def _by_task(shares: Shares) -> list[list[float]]:
    tasks: dict[str, list[float]] = defaultdict(list)
    for (task, _), share in shares.items():
        tasks[task].append(share)
    return list(tasks.values())
