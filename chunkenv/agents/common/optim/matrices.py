"""Which arrays of a tree of weights are matrices: what SPlus, Muon and weight decay treat apart from the others."""

from __future__ import annotations

from typing import Any

import jax

NO_MATRICES = ("bias", "scale", "shift", "norm", "embed")
"""Parts of the names of arrays that are none, whatever axes they have: the biases of an ensemble have two."""


def is_matrix(path: jax.tree_util.KeyPath, leaf: Any) -> bool:
    """Whether an array is a matrix [m, n], or an ensemble of them [..., m, n]."""
    name = jax.tree_util.keystr(path).lower()
    return leaf.ndim > 1 and not any(part in name for part in NO_MATRICES)


def matrices(weights: Any) -> Any:
    """A tree like `weights`, with True for each matrix.

    >>> import numpy as np
    >>> matrices({"kernel": np.zeros((2, 3, 4)), "bias": np.zeros((2, 4))})
    {'bias': False, 'kernel': True}
    """
    return jax.tree_util.tree_map_with_path(is_matrix, weights)
