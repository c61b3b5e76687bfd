"""A flow whose chunks pass an obstacle on either side: small enough to know its velocity and its Jacobian by formula.

The data are chunks `middle` and `-middle`, each as likely, with Gaussian spread around each row. For such data the
clean chunk that is expected at flow time t has a formula, and so have the velocity and its Jacobian (the straight paths
of Lipman et al. 2023, arXiv 2210.02747).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class _Parts(NamedTuple):
    """What velocity and Jacobian have in common: the expected chunk is own * chunks + pull * side * middle."""

    own: float
    pull: float
    slope: float
    side: np.ndarray


@dataclass(frozen=True)
class TwoWays:
    """The velocity of chunks that go one way or the other.

    Args:
        middle: of one way, float [H, A]; the other is its negative.
        spread: standard deviation of every number around its way, above 0.
    """

    middle: np.ndarray
    spread: float = 0.1

    def velocity(self, chunks: np.ndarray, time: float) -> np.ndarray:
        """The velocity [N, H, A] of chunks [N, H, A] at flow time `time` in [0, 1): 0 is noise."""
        parts = self._parts(chunks, time)
        expected = parts.own * chunks + parts.pull * parts.side * self.middle
        return (expected - chunks) / (1 - time)

    def vjp(self, chunks: np.ndarray, time: float, error: np.ndarray) -> np.ndarray:
        """`error` [N, H, A] times the transposed Jacobian of the velocity in the chunks, [N, H, A]."""
        parts = self._parts(chunks, time)
        along = (error * self.middle).sum(axis=(1, 2), keepdims=True)
        pulled = parts.own * error + parts.pull * parts.slope * (1 - parts.side**2) * along * self.middle
        return (pulled - error) / (1 - time)

    def _parts(self, chunks: np.ndarray, time: float) -> _Parts:
        variance = (time * self.spread) ** 2 + (1 - time) ** 2
        own, slope = time * self.spread**2 / variance, time / variance
        along = (chunks * self.middle).sum(axis=(1, 2), keepdims=True)
        return _Parts(own, 1 - own * time, slope, np.tanh(slope * along))
