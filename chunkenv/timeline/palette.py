"""The colours of chunks, in timelines and under frames."""

from __future__ import annotations

Colour = tuple[int, int, int]

CHUNKS: tuple[Colour, ...] = ((86, 180, 233), (230, 159, 0), (0, 190, 140), (240, 228, 66), (213, 130, 180))
"""Taken in turn by the chunks of an episode; told apart by the colour-blind, too (after Okabe and Ito 2008)."""

UNDERRUN: Colour = (0, 0, 0)


def colour_of(chunk: int) -> Colour:
    """The colour of a chunk by its number; that of underruns for -1."""
    return UNDERRUN if chunk < 0 else CHUNKS[chunk % len(CHUNKS)]


def hex_of(colour: Colour) -> str:
    """A colour as SVG writes it.

    >>> hex_of(CHUNKS[0])
    '#56b4e9'
    """
    return "#" + bytes(colour).hex()
