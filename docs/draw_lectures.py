"""Draw the timelines of the lectures, docs/explanation/lecture_clock.md and docs/explanation/lecture_async.md.

    python docs/draw_lectures.py

It writes docs/images/lecture_NAME.svg for each of `TIMELINES`. The rows are those of the clock (`Schedule.sources`).
"""

from __future__ import annotations

from pathlib import Path

from chunkenv.timeline import Timeline, draw_timeline, plan_timeline

IMAGES = Path(__file__).parent / "images"
TIMELINES: dict[str, tuple[str, Timeline]] = {
    "limit": ("One tick more than the limit allows: H = 8, s = 7, d = 2", plan_timeline(8, 7, 2, 23)),
    "charged": (
        "A first chunk that takes its time: H = 8, s = 4, d = 2",
        plan_timeline(8, 4, 2, 16, cold_start="charged"),
    ),
    "random": ("Delays that differ: H = 8, s = 4, delays 2, 5, 1, 3 in turn", plan_timeline(8, 4, [2, 5, 1, 3], 24)),
    "overlap": ("Chunks that overlap: H = 8, s = 2, d = 2", plan_timeline(8, 2, 2, 16)),
}


def draw() -> dict[str, str]:
    """The pictures, by the names of their files."""
    return {f"lecture_{name}.svg": draw_timeline(each, title=title) for name, (title, each) in TIMELINES.items()}


if __name__ == "__main__":
    for name, picture in draw().items():
        (IMAGES / name).write_text(picture, encoding="utf-8")
        print(f"docs/images/{name}")
