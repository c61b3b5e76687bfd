"""The leaderboard: every method of a study with what it needs, what it solves at each delay, and what it costs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence

from chunkenv.bench.analysis.intervals import UNKNOWN, Interval
from chunkenv.bench.analysis.standings import Standing, find_standings, mean_rates
from chunkenv.bench.analysis.study_progress import progress
from chunkenv.bench.report.number_format import number_format
from chunkenv.bench.report.page.content import Content, describe_runs, describe_study
from chunkenv.bench.report.tables import Column, Entry, PlainTable, percent_entry
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies.methods import METHODS, flow_policy
from chunkenv.errors import ChunkenvError

ABOUT = (
    "The solve rate of every method at inference delays d, in control ticks, with an execution horizon of max(1, d). "
    "Every method plays the same episodes, and each task weighs the same.",
    "Rank: a method whose paired difference to another is not certain (95 %) shares its ranks with it. A method with "
    "ranks 2 to 4 may be the second, third or fourth; the differences are not corrected for their number.",
    "A method with * uses an expert, or the simulator itself as its model of the world: neither is to be had on a "
    "robot. Needs, in addition to a policy that samples: training of its own, the policy's gradient, an expert, a "
    "model of the world.",
)
NOTE = (
    "Solve rates in % with 95 % intervals: Wilson's at each delay, stratified bootstrap for means. Evaluations of the "
    "denoiser and vector-Jacobian products (VJPs) are for one chunk; jump and jerk are means over all delays."
)
PER_DELAY = "d = {}"
FAMILY = "smooth"
"""Whose policies tell what a strategy costs: there is one of the plain kind for every level."""


def make_leaderboard(store: Store, charged: Store | None = None) -> Content:
    """The leaderboard of a study.

    Args:
        store: rows of `chunkenv bench rtc`, or of another study with the fields of `chunkenv.bench.Cell`.
        charged: rows of `chunkenv bench charged`, if there are any.

    Raises:
        ArgumentError: if there are no such rows.
    """
    standings, runs, done = find_standings(store), store.runs(), progress(store)
    rates, more = (mean_rates(charged), charged.runs()) if charged else ({}, [])
    commands = list(dict.fromkeys(run["command"] for run in [*runs, *more] if run["command"]))
    table = leaderboard_table(standings, rates, str(next(iter(done.tasks))))
    described = describe_runs([*runs, *more])
    return Content("Leaderboard", list(ABOUT), describe_study(runs, done), commands, [table], [], [], described)


def leaderboard_table(standings: Sequence[Standing], charged: Mapping[str, Interval], task: str) -> PlainTable:
    """The table, a line for each method.

    Args:
        standings: in the order of the lines.
        charged: solve rates under charged latency; empty if there are none.
        task: a level, whose policy tells what strategies cost.
    """
    delays = sorted({delay for standing in standings for delay in standing.rates})
    columns: list[Column] = [
        ("method", [Entry(each.method + " *" * is_privileged(each.method), each.method) for each in standings]),
        ("rank", [_ranks(each) for each in standings]),
        ("mean over d", [percent_entry(each.mean) for each in standings]),
        *((PER_DELAY.format(d), [percent_entry(each.rates.get(d, UNKNOWN)) for each in standings]) for d in delays),
        *([("charged", [percent_entry(charged.get(each.method, UNKNOWN)) for each in standings])] if charged else []),
        _numbers("evaluations", [each.evaluations for each in standings]),
        _numbers("VJPs", [_vjps(each.method, task) for each in standings]),
        _numbers("boundary jump", [each.boundary_jump for each in standings]),
        _numbers("jerk", [each.jerk for each in standings]),
        ("needs", [_needs(each.method) for each in standings]),
    ]
    rows = [list(row) for row in zip(*(entries for _, entries in columns), strict=True)]
    return PlainTable("Methods", NOTE, [name for name, _ in columns], rows)


def is_privileged(method: str) -> bool:
    """Whether a method of ours uses an expert, or is given the engine's state.

    >>> is_privileged("a2c2"), is_privileged("predicted-state"), is_privileged("rtc")
    (True, True, False)
    """
    way = METHODS.get(method)
    return way is not None and ("expert" in way.needs or way.observation == "state")


def _ranks(standing: Standing) -> Entry:
    if standing.ranks is None:
        return Entry("", math.inf)
    best, worst = standing.ranks
    return Entry(f"{best}" if best == worst else f"{best} to {worst}", best)


def _needs(method: str) -> Entry:
    text = (", ".join(METHODS[method].needs) or "nothing") if method in METHODS else "not known"
    return Entry(text, text)


def _vjps(method: str, task: str) -> float | None:
    """Vector-Jacobian products for a chunk: only methods that need the gradient have any; None if it is not known."""
    if method not in METHODS:
        return None
    if "gradient" not in METHODS[method].needs:
        return 0
    with contextlib.suppress(ChunkenvError):  # another task than a level, or no extra for policies
        return METHODS[method].strategy(flow_policy(task, METHODS[method].weights, FAMILY)).cost.vjps
    return None


def _numbers(name: str, values: Sequence[float | None]) -> Column:
    write = number_format(value for value in values if value is not None)
    return name, [Entry("not known", -math.inf) if value is None else Entry(write(value), value) for value in values]
