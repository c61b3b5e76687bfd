"""The reference: it has to get 100 points, and is not packed."""

from __future__ import annotations


def late_rows(delay: int, prediction_horizon: int) -> list[int]:
    """The rows of a chunk that come too late: those before the delay."""
    return list(range(min(delay, prediction_horizon)))
