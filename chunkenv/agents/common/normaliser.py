"""The running mean and spread of observations, so that a network sees numbers of one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_SPREAD = 1e-2
"""What hardly moves at first may move later: dividing by less would make that a leap."""


@dataclass(frozen=True)
class Normaliser:
    """Mean and sum of squared differences from it, float64[O], of `count` observations.

    Source: T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance", The American
    Statistician 37 (1983), the update that takes a whole batch.

    >>> seen = Normaliser.of_none(1).with_batch(np.array([[1.0], [3.0]])).with_batch(np.array([[5.0], [7.0]]))
    >>> seen.count, seen.mean, seen.scale.round(3)
    (4, array([4.]), array([2.236], dtype=float32))
    """

    count: int
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def of_none(cls, size: int) -> Normaliser:
        """Before the first of the observations, each of `size` numbers."""
        return cls(0, np.zeros(size), np.zeros(size))

    @property
    def scale(self) -> np.ndarray:
        """The standard deviation, float32[O], at least `LEAST_SPREAD`; 1 before the first observation."""
        if not self.count:
            return np.ones(len(self.mean), np.float32)
        return np.maximum(np.sqrt(self.squares / self.count), LEAST_SPREAD).astype(np.float32)

    def with_batch(self, batch: np.ndarray) -> Normaliser:
        """After observing a batch [N, O] too."""
        rows = batch.astype(np.float64)
        mean, count = rows.mean(axis=0), self.count + len(rows)
        change = mean - self.mean
        within = np.square(rows - mean).sum(axis=0)
        between = np.square(change) * (self.count * len(rows) / count)
        return Normaliser(count, self.mean + change * (len(rows) / count), self.squares + within + between)
