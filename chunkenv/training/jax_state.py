"""What a training carries from update to update, a tree of JAX arrays, as the arrays of its resume file."""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common.checkpoint_file import Arrays

State = TypeVar("State")


def to_arrays(state: object) -> Arrays:
    """The leaves of a state, by their number.

    >>> {name: leaf.tolist() for name, leaf in to_arrays((jnp.zeros(2), jnp.ones(1))).items()}
    {'0': [0.0, 0.0], '1': [1.0]}
    """
    return {str(index): np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(state))}


def from_arrays(state: State, arrays: Arrays) -> State:
    """A state of the same structure and shapes, with the leaves that `to_arrays` returned."""
    leaves, structure = jax.tree.flatten(state)
    found = [jnp.asarray(arrays[str(index)]).reshape(leaf.shape) for index, leaf in enumerate(leaves)]
    return jax.tree.unflatten(structure, found)
