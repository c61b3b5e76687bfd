"""Latencies that follow each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import assign, share_of
from chunkenv.latency.distributions import Constant
from chunkenv.latency.model import LatencyModel, checked_draw
from chunkenv.latency.specs import model_of


@dataclass(frozen=True, repr=False)
class Sum(LatencyModel):
    """Latencies that follow each other, such as network and inference; `a + b` makes one.

    Args:
        parts: one model or more (or their specs); sums among them are flattened.

    >>> from chunkenv.latency import Uniform
    >>> Constant(0.02) + Uniform(0.0, 0.1)
    Constant(seconds=0.02) + Uniform(low=0.0, high=0.1)
    """

    parts: tuple[LatencyModel, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.parts, list | tuple) or not self.parts:
            raise ArgumentError(f"parts={self.parts!r} is not a list of latency models; give at least one.")
        models = [model_of("parts", part) for part in self.parts]
        assign(self, parts=tuple(leaf for m in models for leaf in (m.parts if isinstance(m, Sum) else (m,))))

    def begin(self, rng: np.random.Generator) -> Any:
        """The states of the parts."""
        return tuple(part.begin(rng) for part in self.parts)

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """One draw of every part, added."""
        draws = [checked_draw(part, rng, before) for part, before in zip(self.parts, state, strict=True)]
        return math.fsum(seconds for seconds, _ in draws), tuple(after for _, after in draws)

    def mean(self) -> float:
        """The means added."""
        return math.fsum(part.mean() for part in self.parts)

    def quantile(self, q: float) -> float:
        """Known if at most one part varies, the others being constants."""
        share = share_of("q", q)
        varying = [part for part in self.parts if not isinstance(part, Constant)]
        if len(varying) > 1:
            raise NotImplementedError(f"{self!r} has no closed form for its quantiles; take them of draws instead.")
        fixed = math.fsum(part.seconds for part in self.parts if isinstance(part, Constant))
        return fixed + sum(part.quantile(share) for part in varying)

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts)) if len(self.parts) > 1 else f"Sum(parts={self.parts!r})"
