"""What the marks of a timeline mean: those that occur in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chunkenv.timeline.palette import CHUNKS, hex_of
from chunkenv.timeline.panel import Panel
from chunkenv.timeline.svg_shapes import box, cross, element, hatched, text

LETTER = 5.1  # pixels, about the width of one
LINE, KEY = 20, 22  # pixels: the height of a line, and the width of a mark


def draw_legend(panels: Sequence[Panel], width: float, top: float) -> tuple[str, int]:
    """The legend below some panels, and its height in pixels."""
    parts, x, line = list[str](), 8.0, 0
    for mark, meaning in _entries(panels):
        wide = KEY + 6 + LETTER * len(meaning) + 18
        if x + wide - 18 > width and x > 8:
            x, line = 8.0, line + 1
        parts.append(
            element(
                "g",
                inside=mark + text(KEY + 6, 11, meaning, "small"),
                transform=f"translate({x:g} {top + line * LINE:g})",
            )
        )
        x += wide
    return "".join(parts), LINE * (line + 1) + 6


def _entries(panels: Sequence[Panel]) -> Iterator[tuple[str, str]]:
    """A mark and its meaning, for what is in the panels."""
    fill = hex_of(CHUNKS[0])
    kinds = {panel.kind_of(chunk, tick) for panel in panels for chunk in panel.chunks for tick in panel.window}
    timeline = panels[0].timeline
    bars = [bar for panel in panels for chunk in panel.chunks for bar in panel.bars(timeline.inferences[chunk])]
    yield element("path", "request", d="M7 4h8l-4 6z"), "request"
    if bars:
        yield box(0, 3, KEY, 9, "acted", fill=fill), "inference in flight"
    if any(opacity < 1 for *_, opacity in bars):
        streams = any(len(set(each.delays)) > 1 for each in timeline.inferences)
        meaning = "rows still to come" if streams else "its result waits for the next tick"
        yield box(0, 3, KEY, 9, "acted", fill=fill, fill_opacity=0.35), meaning
    if "acted" in kinds:
        yield box(0, 0, KEY, 14, "acted", fill=fill) + text(KEY / 2, 11, "2", "on middle"), "row that acts"
    if "missing" in kinds:
        yield hatched(0, 0, KEY, 14), "row that is late for its tick"
    if "unused" in kinds:
        yield (
            box(0, 0, KEY, 14, "unused") + text(KEY / 2, 11, "2", "small middle"),
            "row that is not used",
        )
    if any(chunk < 0 for panel in panels for chunk, _ in timeline.acted[panel.window.start : panel.window.stop]):
        yield box(0, 0, KEY, 14, "underrun") + cross(0, 0, KEY, 14), "no row: underrun"
    if any(panel.behind for panel in panels):
        yield element("rect", "behind", x=0, y=4, width=KEY, height=6), "tick that began late"
