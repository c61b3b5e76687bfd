"""The strip under an overlaid frame: the last ticks, one column each, and what acted in them.

caption     the tick, the chunk and the row that acted, the delay of the decision, the underruns of the episode
inference   a bar in the colour of the chunk that was being inferred during the tick
action      a cell in the colour of the chunk whose row acted, with the row's number; a crossed black one for an
            underrun; a notch above the first tick of a decision, where its request was made
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from chunkenv.utils.rendering import import_pygame

Colour = tuple[int, int, int]

BACKGROUND: Colour = (250, 250, 250)
EMPTY: Colour = (228, 228, 228)
INK: Colour = (20, 20, 20)
UNDERRUN: Colour = (0, 0, 0)
CHUNKS: tuple[Colour, ...] = ((86, 180, 233), (230, 159, 0), (0, 190, 140), (240, 228, 66), (213, 130, 180))
"""Taken in turn by the chunks of an episode; told apart by the colour-blind, too (after Okabe and Ito 2008)."""

MIN_WIDTH = 320
"""Narrower frames are set on a background of this width, or the strip could not be read."""


FINENESS = 4  # text is drawn this much larger


class Tick(NamedTuple):
    """What there is to draw of one tick.

    Attributes:
        chunk: the number of the chunk whose row acted, counted from 0 in each episode; -1 for an underrun.
        row: the number of that row; -1 for an underrun.
        inferred: the number of the chunk that was being inferred during the tick; -1 if none was.
        requested: whether a request was made at its beginning.
    """

    chunk: int
    row: int
    inferred: int
    requested: bool


class Layout(NamedTuple):
    """Where things are in a strip, in pixels.

    Attributes:
        cell: width of a tick's column.
        left: where the first column begins.
        columns: how many there are.
        inference: top and height of the bars of inference.
        action: top and height of the cells of actions.
        height: of the strip; even, as videos want it for even frames.
    """

    cell: int
    left: int
    columns: int
    inference: tuple[int, int]
    action: tuple[int, int]
    height: int


def layout(width: int) -> Layout:
    """The layout of a strip of `width` pixels.

    >>> layout(500)
    Layout(cell=13, left=71, columns=32, inference=(25, 6), action=(35, 16), height=58)
    """
    cell = max(width // 38, 5)
    left = cell * 5 + cell // 2
    bars, cells = (2 * cell - 1, cell // 2), (3 * cell - cell // 3, cell + cell // 4)
    return Layout(cell, left, (width - left - cell) // cell, bars, cells, (4 * cell + cell // 2 + 1) // 2 * 2)


def colour_of(chunk: int) -> Colour:
    """The colour of a chunk by its number; that of underruns for -1."""
    return UNDERRUN if chunk < 0 else CHUNKS[chunk % len(CHUNKS)]


def draw_strip(width: int, ticks: Sequence[Tick], caption: str) -> np.ndarray:
    """A strip with the last of `ticks` that find room, the newest rightmost.

    Args:
        width: in pixels, at least `MIN_WIDTH`.
        ticks: those of the episode so far.
        caption: the line above.

    Returns:
        uint8[layout(width).height, width, 3].

    Raises:
        MissingExtraError: pygame is not installed.
    """
    pygame, place = import_pygame(), layout(width)
    surface = pygame.Surface((width, place.height), depth=24)
    surface.fill(BACKGROUND)
    _write(surface, caption, (place.cell // 2, place.cell), round(1.5 * place.cell))
    for label, (top, height) in (("inference", place.inference), ("action", place.action)):
        _write(surface, label, (place.cell // 2, top + height // 2), round(1.2 * place.cell))
        surface.fill(EMPTY, (place.left, top, place.columns * place.cell - 1, height))
    shown = ticks[-place.columns :]
    for column, tick in enumerate(shown):
        _draw_tick(surface, place, column, tick, newest=column == len(shown) - 1)
    return np.ascontiguousarray(pygame.surfarray.array3d(surface).swapaxes(0, 1))


def _draw_tick(surface: Any, place: Layout, column: int, tick: Tick, newest: bool) -> None:
    left, width = place.left + column * place.cell, place.cell - 1
    top, height = place.action
    box = (left, top, width, height)
    surface.fill(colour_of(tick.chunk), box)
    if tick.requested:
        surface.fill(INK, (left - 1, place.inference[0] - 2, 1, top + height - place.inference[0] + 2))
    if tick.inferred >= 0:
        surface.fill(colour_of(tick.inferred), (left, place.inference[0], place.cell, place.inference[1]))
    if tick.chunk < 0:
        _cross(surface, box)
    else:
        middle = (left + width / 2, top + height // 2 + 1)
        _write(surface, str(tick.row), middle, round(1.15 * place.cell), centred=True)
    if newest:
        import_pygame().draw.rect(surface, INK, box, width=1)


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
