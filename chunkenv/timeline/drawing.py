"""A timeline as SVG: plain text, without another library.

Ticks run to the right. Every chunk has a lane: a bar while it is being inferred, and below it its rows, each at the
tick that it is meant for. What acted is drawn once more in the last lane, and with `control_dt` there is an axis of
seconds, with the ticks that began late.
"""

from __future__ import annotations

from html import escape  # that of xml.sax imports http and ssl
from typing import TYPE_CHECKING

from chunkenv.errors import ArgumentError
from chunkenv.timeline.legend import draw_legend
from chunkenv.timeline.panel import CELL, LEFT, Panel
from chunkenv.timeline.svg_shapes import STYLE, element, text
from chunkenv.utils.checks import whole_number

if TYPE_CHECKING:
    from chunkenv.timeline.what_happened import Timeline

RIGHT, GAP, NARROWEST = 14, 14, 420  # pixels

PANEL = 30
"""Ticks side by side; what follows is drawn below."""
LONGEST = 300
"""Ticks of one picture, unless more are asked for."""


def draw_timeline(timeline: Timeline, first: int = 0, stop: int | None = None, title: str = "Timeline") -> str:
    """The picture of a timeline, as SVG.

    Its colours are told apart by the colour-blind, and fit a light and a dark page. It needs no font and no script.

    Args:
        timeline: what happened.
        first: the first tick that is drawn.
        stop: the tick after the last one that is drawn. None: the end, but no more than 300 ticks.
        title: what screen readers say first; then comes the timeline's summary.

    Returns:
        A whole SVG document, which is also an element of HTML.

    Raises:
        ArgumentError: there are no such ticks.

    >>> from chunkenv.timeline.planning import plan_timeline
    >>> picture = draw_timeline(plan_timeline(8, 4, delay=2, ticks=12))
    >>> picture[:4], picture.count(">chunk ")
    ('<svg', 6)
    """
    window = _read_window(timeline, first, stop)
    panels = [Panel(timeline, begin, min(begin + PANEL, window.stop)) for begin in window[::PANEL]]
    width = max(LEFT + CELL * min(len(window), PANEL) + RIGHT, NARROWEST)
    body, height = list[str](), GAP // 2
    for panel in panels:
        body.append(panel.draw(height))
        height += panel.height + GAP
    legend, tall = draw_legend(panels, width, height)
    if len(window) < timeline.ticks:
        legend += text(8, height + tall + 10, f"ticks {first} to {window.stop - 1} of {timeline.ticks}", "small")
        tall += 20
    return _document(title, timeline.summary, (width, height + tall), "".join(body) + legend)


def _read_window(timeline: Timeline, first: int, stop: int | None) -> range:
    """The ticks to draw."""
    if not timeline.ticks:
        raise ArgumentError("the timeline has no ticks, so there is nothing to draw: give the infos of a decision.")
    whole_number("first", first, at_least=0, at_most=timeline.ticks - 1)
    last = min(first + LONGEST, timeline.ticks) if stop is None else stop
    return range(first, whole_number("stop", last, at_least=first + 1, at_most=timeline.ticks))


def _document(title: str, summary: str, size: tuple[int, int], body: str) -> str:
    width, height = size
    name = escape(f"{title}. {summary}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chunkenv-timeline" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" style="max-width: 100%; height: auto" role="img" aria-label="{name}">\n'
        f"<title>{escape(title, quote=False)}</title>\n<desc>{escape(summary, quote=False)}</desc>\n"
        f"<style>{STYLE}</style>\n" + element("rect", "paper", width=width, height=height, rx=6) + f"\n{body}\n</svg>\n"
    )
