"""Weights in a file, as they are or rounded to a few values, which compress well."""

from __future__ import annotations

import numpy as np

from chunkenv.agents.common.checkpoint_file import Arrays

FINE = 127
"""Values to each side of zero: 8 bits, for small networks that correct or predict."""
COARSE = 15
"""5 bits, for flow policies: what they solve does not change measurably (docs/howto/flow.md)."""


def named(weights: Arrays) -> Arrays:
    """Weights as they are, under the names that `restore` finds them by."""
    return {f"weights/{name}": value for name, value in weights.items()}


def rounded(weights: Arrays, values: int) -> Arrays:
    """Matrices as int8 and the scales of their columns; everything else as it is.

    Args:
        weights: float32, by name.
        values: to each side of zero, `FINE` or `COARSE`.
    """
    arrays: Arrays = {}
    for name, value in weights.items():
        if value.ndim == 2:
            scale = np.maximum(np.abs(value).max(axis=0), np.finfo(np.float32).tiny) / values
            arrays[f"scales/{name}"] = scale.astype(np.float32)
            value = np.round(value / scale).astype(np.int8)
        arrays[f"weights/{name}"] = value
    return arrays


def restore(arrays: Arrays) -> Arrays:
    """The weights by name, float32, from what `named` or `rounded` made of them.

    >>> weights = {"kernel": np.array([[1.0, -0.5]], np.float32), "bias": np.array([3.0], np.float32)}
    >>> {name: value.tolist() for name, value in restore(rounded(weights, 2)).items()}
    {'kernel': [[1.0, -0.5]], 'bias': [3.0]}
    """
    found = {name.removeprefix("weights/"): value for name, value in arrays.items() if name.startswith("weights/")}
    return {name: (value * arrays.get(f"scales/{name}", 1)).astype(np.float32) for name, value in found.items()}
