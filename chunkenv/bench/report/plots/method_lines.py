"""Lines of many methods in one picture: each has its colour, marker and dashes everywhere, and its name at its end."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.studies.methods import METHODS

COLOURS = (
    *("#000000", "#8a8a8a", "#CC79A7", "#009E73", "#D55E00", "#E69F00", "#0072B2", "#56B4E9"),
    *("#332288", "#882255", "#999933", "#44AA99", "#CC6677", "#8C510A", "#AA4499"),
)
"""Okabe and Ito's palette, then colours of Tol's, which colour-blind readers tell apart."""
FIRST = ("naive", "synchronous", "ensembling", "bid", "rtc", "hard-masking", "training-time-rtc")
"""The methods with the first colours."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))
BANDS = 8
"""Of more lines than these no bands are drawn: they would hide each other. Tables have the intervals."""
KEY = (1.03, 1.075)
"""Where the sample of a line stands beside its name, as shares of the panel's width."""
TOP = 104.0
"""Of the vertical axis, in percent."""

Points: TypeAlias = tuple[Sequence[float], Sequence[Interval]]
"""Places along the horizontal axis, and the solve rate at each."""


class LineStyle(NamedTuple):
    """How a line is drawn: lines that share a colour differ in the two others."""

    colour: str
    marker: str
    dashes: str | tuple[float, tuple[float, ...]]


def style_of(method: str) -> LineStyle:
    """A method's own line, the same in every picture; that of a method which is not ours follows from its name.

    >>> style_of("naive").colour, style_of("mine") == style_of("mine")
    ('#000000', True)
    """
    ours = list(dict.fromkeys((*FIRST, *METHODS)))
    place = ours.index(method) if method in ours else len(ours) + zlib.crc32(method.encode()) % len(COLOURS)
    return nth_style(place)


def nth_style(place: int) -> LineStyle:
    """The line at a place of the list of all: the first eight are solid, the next eight dashed."""
    dashes = DASHES[place // len(MARKERS) % len(DASHES)]
    return LineStyle(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)], dashes)


def draw_methods(axes: Axes, lines: Mapping[str, Points], large: bool = True) -> None:
    """The solve rates of some methods, with their bands unless there are too many.

    Args:
        axes: where.
        lines: by method.
        large: whether the panel is one of the large ones.
    """
    for method, (places, rates) in lines.items():
        style = style_of(method)
        if len(lines) <= BANDS:
            low, high = [100 * rate.low for rate in rates], [100 * rate.high for rate in rates]
            axes.fill_between(places, low, high, color=style.colour, alpha=0.12 if large else 0.06, linewidth=0)
        (line,) = axes.plot(places, [100 * rate.estimate for rate in rates], color=style.colour, clip_on=False)
        line.set(linestyle=style.dashes, linewidth=2.0 if large else 1.2, marker=style.marker)
        line.set(markersize=6 if large else 3, markeredgecolor="white", markeredgewidth=0.5)


def label_ends(axes: Axes, lines: Mapping[str, Points]) -> None:
    """Name each line at its right end; where names would overlap they are moved apart, with a sample of their line."""
    ends = {method: (places[-1], 100 * rates[-1].estimate) for method, (places, rates) in lines.items()}
    names = sorted(ends, key=lambda method: ends[method][1])
    gap = min(6.0, TOP / max(1, len(names) - 1))
    for method, height in zip(names, spread([ends[method][1] for method in names], gap, TOP), strict=True):
        _draw_key(axes, method, height)
        axes.annotate(
            f"{method} {ends[method][1]:.0f} %",
            ends[method],
            xytext=(KEY[1] + 0.015, height),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            color=style_of(method).colour,
            fontweight="bold",
            fontsize=9 if gap > 5.5 else 8,
            annotation_clip=False,
        )


def _draw_key(axes: Axes, method: str, height: float) -> None:
    """A sample of a method's line beside its name: the figure's, not one of the panel's lines."""
    colour, marker, dashes = style_of(method)
    key = Line2D(KEY, [height, height], color=colour, linewidth=1.6, marker=marker, markevery=[0])
    key.set(linestyle=dashes, markersize=5, markeredgecolor="white", markeredgewidth=0.5, clip_on=False)
    key.set_transform(axes.get_yaxis_transform())
    axes.figure.add_artist(key)


def describe_lines(lines: Mapping[str, Points]) -> str:
    """Lines in words, for readers who do not see them.

    >>> describe_lines({"rtc": ([0, 4], [Interval(0.9, 0.8, 1.0), Interval(0.6, 0.5, 0.7)])})
    'rtc: 90 % at 0, 60 % at 4.'
    """
    return " ".join(f"{method}: {_points_in_words(points)}." for method, points in lines.items())


def _points_in_words(points: Points) -> str:
    return ", ".join(f"{100 * rate.estimate:.0f} % at {place:g}" for place, rate in zip(*points, strict=True))


def spread(heights: Sequence[float], gap: float, top: float) -> list[float]:
    """Heights in ascending order, moved apart to at least `gap`, with none below 0 or above `top` if there is room.

    Heights that touch become a stack around their mean.

    >>> spread([50.0, 50.0, 90.0], 6.0, 104.0)
    [47.0, 53.0, 90.0]
    >>> spread([103.0, 103.0], 6.0, 104.0)
    [98.0, 104.0]
    """
    stacks: list[list[float]] = []
    for height in heights:
        stacks.append([height])
        while len(stacks) > 1 and _bottom(stacks[-1], gap, top) < _end(stacks[-2], gap, top) + gap:
            stacks[-2:] = [stacks[-2] + stacks[-1]]
    return [_bottom(stack, gap, top) + gap * place for stack in stacks for place in range(len(stack))]


def _bottom(stack: Sequence[float], gap: float, top: float) -> float:
    """Where the lowest of a stack stands."""
    size = gap * (len(stack) - 1)
    return max(0.0, min(sum(stack) / len(stack) - size / 2, top - size))


def _end(stack: Sequence[float], gap: float, top: float) -> float:
    return _bottom(stack, gap, top) + gap * (len(stack) - 1)
