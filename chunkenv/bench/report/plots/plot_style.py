"""What the plots share: their style, colours, axes, and how they are saved."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chunkenv.utils.files import atomic_file

INK, FAINT = "#222222", "#8a8a8a"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8a8a8a")
"""Okabe and Ito's palette, which colour-blind readers tell apart."""
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
}


def save_png(figure: Figure, path: Path, description: str) -> None:
    """Write a figure as a PNG; the file is written atomically.

    Args:
        figure: what to write.
        path: of the file.
        description: what the picture shows, in words, for readers who do not see it; a report reads it from the file.

    Raises:
        ArgumentError: if it cannot be written.
    """
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=150, facecolor="white", metadata={"Description": description})


def wrap_caption(caption: str) -> str:
    """A caption in lines that fit below a picture of fourteen inches."""
    return "\n".join(textwrap.wrap(caption, 170, break_on_hyphens=False))


def wrap_headline(headline: str) -> str:
    """A headline in lines that fit above a picture of fourteen inches."""
    return "\n".join(textwrap.wrap(headline, 105, break_on_hyphens=False))


def use_percent_axis(axes: Axes) -> None:
    """A vertical axis of solve rates in percent."""
    axes.set_ylim(0, 104)
    axes.set_yticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
