"""Timelines without an environment: what a clock does with given delays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from typing import TypeAlias

from chunkenv.clock import Delay, FlightClock, first_usable
from chunkenv.errors import ArgumentError, brief
from chunkenv.timeline.what_happened import InferenceTimes, Timeline
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import is_list

RowDelays: TypeAlias = int | Sequence[int]
"""Ticks until a chunk is there; or until each of its rows is there."""


def plan_timeline(
    prediction_horizon: int,
    execution_horizon: int,
    delay: RowDelays | Sequence[RowDelays],
    ticks: int,
    *,
    overlap: bool = True,
    cold_start: str = "free",
    max_in_flight: int = 1,
    request_period: int | None = None,
) -> Timeline:
    """The timeline of a robot whose inferences take given delays.

    Args:
        prediction_horizon: rows in a chunk, H.
        execution_horizon: ticks between two requests, s.
        delay: ticks that every inference takes; or several, which the inferences take in turn, the first one too. A
            list in the place of a number has the delay of every row (streaming); so [[0, 0, 1, 1]] is one inference's.
        ticks: how many ticks are played.
        overlap: this and the others: as `ChunkedExecution` has them.
        cold_start: with 'free' the first chunk is there at once, whatever its delay.
        max_in_flight: inferences that may be under way at a time.
        request_period: ticks between two requests, if several may be in flight.

    Raises:
        ArgumentError: for an invalid argument.

    >>> print(plan_timeline(8, 2, delay=4, ticks=8, max_in_flight=2).summary)
    Ticks 0 to 7: 4 chunks of 8 rows, 2 inferences in flight at most, no underrun.
    """
    whole_number("ticks", ticks, at_least=1)
    delays = [_read(each) for each in (delay if is_list(delay) else [delay])]
    if not delays:
        raise ArgumentError(f"delay={brief(delay)} is empty; give a number of ticks, or at least one.")
    typical = math.ceil(sum(first_usable(each, overlap) for each in delays) / len(delays))
    clock = FlightClock(
        prediction_horizon, execution_horizon, overlap, cold_start, typical, max_in_flight, request_period
    )
    sources: list[tuple[int, int]] = []
    inferences: list[InferenceTimes] = []
    for taken in cycle(delays):
        now = 0 if clock.next_is_free else taken
        schedule = clock.cycle(now)
        inferences.append(InferenceTimes(clock.tick, (now,) * prediction_horizon if isinstance(now, int) else now))
        sources += schedule.sources()
        clock.advance(schedule)
        if len(sources) >= ticks:
            break
    return Timeline(prediction_horizon, tuple(sources[:ticks]), tuple(inferences))


def _read(delay: object) -> Delay:
    """The delay of an inference, or of each of its rows."""
    if is_list(delay):
        if not delay:
            raise ArgumentError("delay=[[]] has an inference without rows; give the delay of one row at least.")
        return tuple(whole_number("a row's delay", each, at_least=0) for each in delay)
    return whole_number("delay", delay, at_least=0)
