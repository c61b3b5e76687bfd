"""The strip under an overlaid frame: the last ticks, one column each, and what acted in them.

caption     the tick, the chunk and the row that acted, the delay of the decision, the underruns of the episode
inference   a bar in the colour of the chunk that was being inferred during the tick, one below the other if there were
            several; it is thinner where some rows had come and others had not
action      a cell in the colour of the chunk whose row acted, with the row's number; a crossed black one for an
            underrun; a notch above the first tick of a decision, where its request was made
correction  a line below the cell of an action that was corrected: the longer, the larger the correction
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from chunkenv.timeline.palette import Colour, colour_of
from chunkenv.utils.rendering import import_pygame

BACKGROUND: Colour = (250, 250, 250)
EMPTY: Colour = (228, 228, 228)
INK: Colour = (20, 20, 20)

MIN_WIDTH = 320
"""Narrower frames are set on a background of this width, or the strip could not be read."""

MOST_BARS = 8
"""Inferences in flight that a strip has room for."""

FINENESS = 4  # text is drawn this much larger


class Bar(NamedTuple):
    """An inference under way: its chunk's number, -1 for none, and whether some of its rows are there already."""

    chunk: int
    streams: bool = False


NO_BAR = Bar(-1)


class Tick(NamedTuple):
    """What there is to draw of one tick.

    Attributes:
        chunk: the number of the chunk whose row acted, counted from 0 in each episode; -1 for an underrun.
        row: the number of that row; -1 for an underrun.
        inferred: what was being inferred during the tick, one for each lane of bars; `NO_BAR` in those that were free.
        requested: whether a request was made at its beginning.
        correction: the largest correction of a coordinate of the action.
    """

    chunk: int
    row: int
    inferred: tuple[Bar, ...]
    requested: bool
    correction: float = 0.0


class Layout(NamedTuple):
    """Where things are in a strip, in pixels.

    Attributes:
        cell: width of a tick's column.
        left: where the first column begins.
        columns: how many there are.
        inference: top and height of the bars of inference in each lane.
        action: top and height of the cells of actions.
        height: of the strip; even, as videos want it for even frames.
    """

    cell: int
    left: int
    columns: int
    inference: tuple[tuple[int, int], ...]
    action: tuple[int, int]
    height: int


def layout(width: int, bars: int = 1) -> Layout:
    """The layout of a strip of `width` pixels, with lanes for so many `bars` of inference.

    >>> layout(500)
    Layout(cell=13, left=71, columns=32, inference=((25, 6),), action=(35, 16), height=58)
    >>> layout(500, bars=2).inference
    ((25, 6), (33, 6))
    """
    cell = max(width // 38, 5)
    left, thick = cell * 5 + cell // 2, cell // 2
    lanes = tuple((2 * cell - 1 + (thick + 2) * lane, thick) for lane in range(bars))
    more = (thick + 2) * (bars - 1)
    cells = (3 * cell - cell // 3 + more, cell + cell // 4)
    height = (4 * cell + cell // 2 + more + 1) // 2 * 2
    return Layout(cell, left, (width - left - cell) // cell, lanes, cells, height)


def draw_strip(width: int, ticks: Sequence[Tick], caption: str, bars: int = 1) -> np.ndarray:
    """A strip with the last of `ticks` that find room, the newest rightmost.

    Args:
        width: in pixels, at least `MIN_WIDTH`.
        ticks: those of the episode so far.
        caption: the line above.
        bars: lanes of bars of inference, as many as each tick has.

    Returns:
        uint8[layout(width, bars).height, width, 3].

    Raises:
        MissingExtraError: pygame is not installed.
    """
    pygame, place = import_pygame(), layout(width, bars)
    surface = pygame.Surface((width, place.height), depth=24)
    surface.fill(BACKGROUND)
    _write(surface, caption, (place.cell // 2, place.cell), round(1.5 * place.cell))
    for label, (top, height) in (("inference", place.inference[0]), ("action", place.action)):
        _write(surface, label, (place.cell // 2, top + height // 2), round(1.2 * place.cell))
    for top, height in (*place.inference, place.action):
        surface.fill(EMPTY, (place.left, top, place.columns * place.cell - 1, height))
    shown = ticks[-place.columns :]
    for column, tick in enumerate(shown):
        _draw_tick(surface, place, column, tick, newest=column == len(shown) - 1)
    _draw_corrections(surface, place, shown)
    return np.ascontiguousarray(pygame.surfarray.array3d(surface).swapaxes(0, 1))


def _draw_tick(surface: Any, place: Layout, column: int, tick: Tick, newest: bool) -> None:
    left, width = place.left + column * place.cell, place.cell - 1
    top, height = place.action
    box = (left, top, width, height)
    surface.fill(colour_of(tick.chunk), box)
    if tick.requested:
        above = place.inference[0][0] - 2
        surface.fill(INK, (left - 1, above, 1, top + height - above))
    _draw_bars(surface, place, left, tick.inferred)
    if tick.chunk < 0:
        _cross(surface, box)
    else:
        middle = (left + width / 2, top + height // 2 + 1)
        _write(surface, str(tick.row), middle, round(1.15 * place.cell), centred=True)
    if newest:
        import_pygame().draw.rect(surface, INK, box, width=1)


def _draw_bars(surface: Any, place: Layout, left: int, bars: Sequence[Bar]) -> None:
    for bar, (top, thick) in zip(bars, place.inference, strict=True):
        thin = thick // 2 if bar.streams else 0
        if bar != NO_BAR:
            surface.fill(colour_of(bar.chunk), (left, top + thin, place.cell, thick - thin))


def _draw_corrections(surface: Any, place: Layout, ticks: Sequence[Tick]) -> None:
    """Lines below the cells; the largest correction that is shown is as wide as its cell."""
    largest, top = max((tick.correction for tick in ticks), default=0.0), sum(place.action) + 2
    for column, tick in enumerate(ticks):
        if tick.correction > 0:
            length = max(round((place.cell - 1) * tick.correction / largest), 1)
            surface.fill(INK, (place.left + column * place.cell, top, length, 2))


def _cross(surface: Any, box: tuple[int, int, int, int]) -> None:
    left, top, width, height = box
    inset, half = width // 4, (width - 1 - 2 * (width // 4)) / 2
    x, y = left + inset, top + (height - 1) / 2 - half
    line = import_pygame().draw.aaline
    line(surface, BACKGROUND, (x, y), (x + 2 * half, y + 2 * half))
    line(surface, BACKGROUND, (x, y + 2 * half), (x + 2 * half, y))


def _write(surface: Any, text: str, at: tuple[float, int], size: int, centred: bool = False) -> None:
    """Smooth text from `at` on, or about it; its middle is at that height."""
    drawn = _text(text, size)
    surface.blit(drawn, (round(at[0] - centred * drawn.get_width() / 2), at[1] - drawn.get_height() // 2))


@lru_cache(maxsize=512)
def _text(text: str, size: int) -> Any:
    # The font is not kept: whoever calls pygame.quit(), as Gymnasium's CartPole does, makes it unusable. It is drawn
    # large and averaged, because pygame's own small letters lose their dots.
    pygame = import_pygame()
    pygame.font.init()
    large = pygame.font.Font(None, FINENESS * size).render(text, True, INK)
    return pygame.transform.smoothscale(large, (large.get_width() // FINENESS, large.get_height() // FINENESS))
