"""Timelines of recordings: what a control loop did, told by its inferences alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from chunkenv.clock import UNDERRUN, Source
from chunkenv.errors import ArgumentError
from chunkenv.latency import RecordedTrace
from chunkenv.timeline.what_happened import InferenceTimes, Timeline
from chunkenv.utils.checks import true_or_false, whole_number


def recorded_timeline(
    trace: RecordedTrace, prediction_horizon: int, episode: int = 0, ticks: int | None = None, overlap: bool = True
) -> Timeline:
    """The timeline of an episode of a recording, with seconds.

    Of the chunks that have come the one with the newest request acts: so requests and delays say which row ran when.
    The first inference of an episode with cold_start='free' was over before the first tick.

    Args:
        trace: what `chunkenv.latency.read_trace` returns; of a `RealtimeExecution` it is
            `RecordedTrace(control_dt, tuple(loop.trace))`.
        prediction_horizon: rows in a chunk, H.
        episode: its number.
        ticks: of the episode, which a recording does not say. None: until the last chunk came.
        overlap: whether the robot went on during inference.

    Raises:
        ArgumentError: for an invalid argument, or an episode that is not in the recording.

    >>> from chunkenv.latency import TraceRow
    >>> trace = RecordedTrace(0.02, (TraceRow(0, 0, 0.03, None), TraceRow(0, 4, 0.03, 2)))
    >>> recorded_timeline(trace, prediction_horizon=8, ticks=8).acted[3:]
    ((0, 3), (0, 4), (0, 5), (1, 2), (1, 3))
    """
    whole_number("prediction_horizon", prediction_horizon, at_least=1)
    true_or_false("overlap", overlap)
    inferences = [
        InferenceTimes(row.request_tick, (0,) * prediction_horizon)
        if row.delay_ticks is None
        else InferenceTimes(row.request_tick, (row.delay_ticks,) * prediction_horizon, row.latency_s)
        for row in trace.rows
        if row.episode == episode
    ]
    if not inferences:
        numbers = sorted({row.episode for row in trace.rows})
        raise ArgumentError(
            f"episode={episode!r} is not in the recording; choose one of {numbers[0]} to {numbers[-1]}."
        )
    usual = max(each.request + max(each.delays[0], 1) for each in inferences)
    end = usual if ticks is None else whole_number("ticks", ticks, at_least=1)
    requests = [each.request for each in inferences]
    sources = [_acting(inferences, bisect_right(requests, tick), tick, overlap) for tick in range(end)]
    return Timeline(prediction_horizon, tuple(sources), tuple(inferences), trace.control_dt)


def _acting(inferences: Sequence[InferenceTimes], requested: int, tick: int, overlap: bool) -> Source:
    """What runs in a tick by which so many inferences were requested."""
    for age, inference in enumerate(reversed(inferences[:requested])):
        arrives = inference.request + inference.delays[0]
        if arrives <= tick:
            row = tick - (inference.request if overlap else arrives)
            return Source(age, row) if row < len(inference.delays) else UNDERRUN
        if not overlap:  # the robot has put the chunk before away, and waits
            break
    return UNDERRUN
