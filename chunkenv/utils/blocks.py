"""A function of many rows, called for a block of them at a time, and only for those that are of use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

BLOCK = 64
"""Rows of a block. A network takes no longer for as many than for half of them, and one shape is compiled for all."""


def in_blocks(function: Callable[..., np.ndarray], wanted: NDArray[np.bool_] | None, *arrays: np.ndarray) -> np.ndarray:
    """`function` of the rows that are wanted, a block at a time; the others are 0.

    The last block is filled up with rows of its own, and one row is computed at least. Up to `BLOCK` rows there is one
    call, with all rows as they are.

    Args:
        function: of `arrays`, row by row: what it returns for a row depends on no other.
        wanted: bool[N]; None for all.
        arrays: each [N, ...], N at least 1.

    Returns:
        [N, ...].

    >>> in_blocks(lambda rows: rows + 1, np.arange(100) > 97, np.arange(100))[-3:].tolist()
    [0, 99, 100]
    """
    count = len(arrays[0])
    if count <= BLOCK:
        return np.asarray(function(*arrays))
    places = np.arange(count) if wanted is None else np.flatnonzero(wanted)
    places = places if len(places) else np.zeros(1, np.int64)  # one says what shape the zeros have
    found: np.ndarray | None = None
    for start in range(0, len(places), BLOCK):
        block = places[start : start + BLOCK]
        rows = np.asarray(function(*(array[np.resize(block, BLOCK)] for array in arrays)))
        if found is None:
            found = np.zeros((count, *rows.shape[1:]), rows.dtype)
        found[block] = rows[: len(block)]
    assert found is not None, "there is at least one row"
    return found
