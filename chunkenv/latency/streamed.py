"""Chunks whose rows come one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chunkenv.errors import ArgumentError, brief
from chunkenv.latency.arguments import assign, seconds_of, share_of
from chunkenv.latency.model import LatencyModel, State
from chunkenv.utils.types import is_list


@dataclass(frozen=True)
class Streamed(LatencyModel):
    """Rows of a chunk that come one after the other, as policies send them that decode row by row (arXiv 2603.19199).

    Row i may run as soon as it is there. With fewer seconds than a chunk has rows, the others never come: the policy
    stops early. Models that draw one number add it to all rows: `LogNormal(median=0.05, sigma=0.3) + Streamed(...)`.

    Args:
        seconds: until each row is there, row 0 first, at least one; they never fall.

    >>> model = Streamed((0.02, 0.02, 0.06, 0.06))
    >>> model.rows, model.mean()
    (4, 0.02)
    """

    seconds: tuple[float, ...]
    rows: int | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        given: object = self.seconds
        values: object = np.asarray(given).tolist() if hasattr(given, "__array__") else given
        if not is_list(values, Sequence) or isinstance(values, str | bytes) or not values:
            raise ArgumentError(f"seconds={brief(given)} is no list of seconds; give those of each row, at least one.")
        seconds = tuple(seconds_of(f"seconds[{row}]", value) for row, value in enumerate(values))
        for row, (before, after) in enumerate(itertools.pairwise(seconds)):
            if after < before:
                raise ArgumentError(
                    f"seconds[{row + 1}]={after!r} is less than seconds[{row}]={before!r}, but rows come in their "
                    "order; give seconds that never fall."
                )
        assign(self, seconds=seconds, rows=len(seconds))

    def draw(self, rng: np.random.Generator, state: State) -> tuple[tuple[float, ...], State]:
        """Always the same; `rng` is not touched."""
        return self.seconds, state

    def mean(self) -> float:
        """Of the first row, which is the first that may act."""
        return self.seconds[0]

    def quantile(self, q: float) -> float:
        """Of the first row."""
        share_of("q", q)
        return self.seconds[0]
