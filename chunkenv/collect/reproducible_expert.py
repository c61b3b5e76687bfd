"""Experts act so that the rows of a dataset are the same in every run, with any number of slots and workers."""

from __future__ import annotations

import hashlib

import numpy as np

from chunkenv.collect.experts import ExpertSource
from chunkenv.errors import ArgumentError

ROWS = 64
"""Observations in every batch that an expert gets."""


class ReproducibleExpert:
    """An expert whose action for an observation does not depend on the rest of its batch, to the bit.

    Libraries of linear algebra round a row depending on the size of its batch and on its place in it: of 16 rows,
    numpy's OpenBLAS may add up the seventh differently from the first, and a slot that is free earlier would be enough
    to change an episode. So every batch has `ROWS` rows, and the observations of an episode always have the same place
    in it, which follows from the episode's number; other rows are zeros.

    Args:
        source: the expert.
        first: the first observation of an episode, float32[O].
        action_size: A.

    Raises:
        ArgumentError: it does not return float[N, A], or a row that it returns depends on the other rows.
    """

    def __init__(self, source: ExpertSource, first: np.ndarray, action_size: int) -> None:
        self._source, self._shape = source, (ROWS, action_size)
        self._probe = _observations_around(first)
        self._probe_actions = self._act(self._probe)
        self._expect_independent_rows()

    def __call__(self, observations: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The actions, float32[N, A].

        Args:
            observations: float32[N, O].
            numbers: of their episodes, int[N].
        """
        places = numbers % ROWS
        batches = _count_earlier_equals(places)
        filled = np.zeros((batches.max() + 1, ROWS, observations.shape[1]), np.float32)
        filled[batches, places] = observations
        return np.stack([self._act(batch) for batch in filled])[batches, places].astype(np.float32)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its file or, without one, of its actions for some observations."""
        return self._source.sha256 or hashlib.sha256(self._probe_actions.astype(np.float32).tobytes()).hexdigest()

    def _act(self, observations: np.ndarray) -> np.ndarray:
        actions = np.asarray(self._source.expert.actions(observations))
        if actions.shape != self._shape or actions.dtype.kind != "f":
            raise ArgumentError(
                f"The expert {self._source.name} answered {actions.dtype}{list(actions.shape)} to {ROWS} observations; "
                f"it must be float32{list(self._shape)}."
            )
        return actions.copy()

    def _expect_independent_rows(self) -> None:
        """Refuse an expert whose actions change when other rows are zeros."""
        for kept in (slice(0, None, 2), slice(1, None, 2)):
            fewer = np.zeros_like(self._probe)
            fewer[kept] = self._probe[kept]
            if not np.array_equal(self._act(fewer)[kept], self._probe_actions[kept]):
                raise ArgumentError(
                    f"What the expert {self._source.name} answers to one observation depends on the others in the "
                    "batch, or on chance; give one that treats every row by itself."
                )


def _count_earlier_equals(values: np.ndarray) -> np.ndarray:
    """How often each value occurs before its own place.

    >>> _count_earlier_equals(np.array([3, 1, 3, 3, 1]))
    array([0, 0, 1, 2, 1])
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    counts = np.empty_like(values)
    counts[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return counts


def _observations_around(observation: np.ndarray) -> np.ndarray:
    """Observations near one and farther away, the same in every run."""
    distances = np.geomspace(0.01, 1.0, ROWS)[:, None]
    noise = np.random.default_rng(0).standard_normal((ROWS, len(observation)))
    return (observation + distances * noise).astype(np.float32)
