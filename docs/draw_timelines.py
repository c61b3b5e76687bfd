"""Draw the timelines of docs/explanation/clock.md.

    python docs/draw_timelines.py

It writes docs/images/timeline_NAME.svg for each of `TIMELINES`.
"""

from __future__ import annotations

from pathlib import Path

from chunkenv.clock import TickClock
from chunkenv.timeline import InferenceTimes, Timeline, draw_timeline, plan_timeline

IMAGES = Path(__file__).parent / "images"
CONTROL_DT = 0.02  # seconds, of the real clock
TOOK = (0.0, 0.033, 0.052, 0.094, 0.047, 0.028, 0.03)
"""Seconds of the inferences on the real clock; the first was made before the episode."""
LATE = {6: 0.006, 18: 0.013}
"""Seconds by which two of its ticks began late."""


def on_the_real_clock(ticks: int) -> Timeline:
    """A control loop that looks for chunks at the beginning of each tick, one inference at a time."""
    clock, sources, requests, delays = TickClock(8, 4), list[tuple[int, int]](), list[int](), list[int]()
    for tick in range(ticks):
        if clock.in_flight and _began(tick) >= _began(requests[-1]) + TOOK[len(requests) - 1]:
            delays.append(tick - requests[-1])
            clock.arrive(clock.in_flight[0], tick)
        if clock.is_due:
            requests.append(tick)
            inference = clock.request(tick)
            if tick == 0:
                delays.append(0)
                clock.arrive(inference, tick)
        sources.append(clock.next())
    rows = [(delay,) * 8 for delay in delays] + [()] * (len(requests) - len(delays))
    inferences = [InferenceTimes(*each) for each in zip(requests, rows, TOOK, strict=False)]
    return Timeline(8, sources, inferences, CONTROL_DT, LATE)


def _began(tick: int) -> float:
    """Seconds from the start until a tick begins."""
    return tick * CONTROL_DT + LATE.get(tick, 0.0)


TIMELINES: dict[str, tuple[str, Timeline]] = {
    "one": ("One inference at a time: H = 8, s = 4, d = 2", plan_timeline(8, 4, 2, 20)),
    "underruns": ("A delay that is too long: H = 8, s = 4, d = 6", plan_timeline(8, 4, 6, 22)),
    "synchronous": ("A robot that waits: H = 8, s = 4, d = 2", plan_timeline(8, 4, 2, 22, overlap=False)),
    "one_late": ("One inference in flight: H = 8, s = 2, d = 4", plan_timeline(8, 2, 4, 18)),
    "two": ("Two inferences in flight: H = 8, s = 2, d = 4", plan_timeline(8, 2, 4, 18, max_in_flight=2)),
    "overtaken": (
        "A chunk that is overtaken: H = 8, s = 2, delays 2, 7, 2, 2, 3 in turn",
        plan_timeline(8, 2, [2, 7, 2, 2, 3], 14, max_in_flight=2, request_period=2),
    ),
    "streaming": ("Rows that stream: H = 8, s = 4", plan_timeline(8, 4, [[1, 1, 1, 1, 3, 3, 3, 3]], 18)),
    "real": ("The real clock: H = 8, s = 4, 20 ms a tick", on_the_real_clock(26)),
}


def draw() -> dict[str, str]:
    """The pictures, by the names of their files."""
    return {f"timeline_{name}.svg": draw_timeline(each, title=title) for name, (title, each) in TIMELINES.items()}


if __name__ == "__main__":
    for name, picture in draw().items():
        (IMAGES / name).write_text(picture, encoding="utf-8")
        print(f"docs/images/{name}")
