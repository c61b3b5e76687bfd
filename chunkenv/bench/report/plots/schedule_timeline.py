"""The timeline of a study's longest delay: what its settings mean for the robot."""

from __future__ import annotations

from chunkenv.bench.analysis.groups import Group, Groups
from chunkenv.errors import ArgumentError
from chunkenv.timeline import draw_timeline, plan_timeline

SHOWN = 28
"""Ticks of the picture."""


def draw_longest_delay(groups: Groups) -> tuple[str, bytes] | None:
    """The timeline of the cells with the longest delay, and of those the shortest execution horizon: a name, and SVG.

    None if the study's cells have other fields than `chunkenv.bench.Cell`, or if none has a delay.
    """
    schedules = [found for group in groups.groups if (found := _schedule(groups, group))]
    if not schedules:
        return None
    delay, executed, rows = max(schedules, key=lambda found: (found[0], -found[1]))
    try:
        timeline = plan_timeline(rows, executed, delay, SHOWN)
    except ArgumentError:  # a study's own `play` may mean other things by these names
        return None
    title = f"Delay {delay}, execution horizon {executed}, chunks of {rows} rows"
    return f"timeline_delay_{delay}_horizon_{executed}", draw_timeline(timeline, title=title).encode()


def _schedule(groups: Groups, group: Group) -> tuple[int, int, int] | None:
    """Delay, execution horizon and prediction horizon of a group, if it has a delay."""
    fields = groups.shared | dict(zip(groups.keys, group.key, strict=True))
    delay, executed, rows = (fields.get(name) for name in ("delay", "execution_horizon", "prediction_horizon"))
    if not (isinstance(delay, int) and isinstance(executed, int) and isinstance(rows, int)):
        return None
    return (delay, executed, rows) if delay > 0 else None
