"""SPlus: a bounded step in the eigenbasis of past gradients (Frans, Levine and Abbeel 2025, arXiv 2506.07254).

For a matrix W [m, n] with gradient G, with exponential means M of G, L of G G', R of G' G, and with the eigenvectors
Q of L and P of R:

    U = Q sign(Q' M P) P'                       every singular value counts alike, and |U| = sqrt(m n), whatever |G| is
    W <- W - rate * 2 / (m + n) * (U + decay * W)

The step per entry falls with the width, so that one rate serves several widths. An array that is no matrix takes the
sign of M, times a constant. In an ensemble [..., m, n] each member is a matrix of its own.

Q and P are *not* part of the compiled update: `renew_bases` computes them on the host, with NumPy, which is faster by
far on a processor. Whoever trains calls it between compiled calls; it does something once in 100 updates.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from chunkenv.agents.common.optim.averaging import AVERAGING, track_average
from chunkenv.agents.common.optim.matrices import is_matrix
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number

RENEW_EVERY = 100
"""Updates between two bases."""
LARGEST_SIDE = 10_000
"""A longer side of a matrix is not rotated: its basis would take a gigabyte."""
PLAIN_SCALE = 1e-3
"""Of the step of an array that is no matrix, or has too long a side."""

Sides = tuple[jax.Array | None, jax.Array | None]
"""[..., m, m] of the rows of a matrix, [..., n, n] of its columns; None for a side that is too long."""

AnyState = TypeVar("AnyState")


class Eigenspace(NamedTuple):
    """What is known of the gradients of one matrix.

    Attributes:
        moments: the exponential means of G G' and G' G.
        bases: eigenvectors of older moments, in columns.
    """

    moments: Sides
    bases: Sides


class SPlusState(NamedTuple):
    """The state of `scale_by_splus`.

    Attributes:
        updates: that were made.
        renewed: how many, when the bases were renewed.
        momentum: like the weights.
        spaces: one for each array of the weights in their order; None for those that are no matrices.
    """

    updates: jax.Array
    renewed: jax.Array
    momentum: Any
    spaces: tuple[Eigenspace | None, ...]


def splus(
    learning_rate: optax.ScalarOrSchedule,
    *,
    momentum: float = 0.9,
    memory: float = 0.999,
    weight_decay: float = 1e-2,
    averaging: float = AVERAGING,
) -> optax.GradientTransformation:
    """SPlus, with averaged weights; between updates, call `renew_bases`, outside of what is compiled.

    Args:
        learning_rate: a number, or a schedule.
        momentum: how much of the mean gradient is kept in an update.
        memory: how much of the mean of squares is kept in an update.
        weight_decay: relative to the step.
        averaging: how much of the average of the weights is kept in an update; 0 for no average. See
            `averaged_weights`.

    Raises:
        ArgumentError: for an invalid number.

    >>> weights = {"kernel": jnp.zeros((2, 3))}
    >>> optimizer = splus(0.1, averaging=0.0)
    >>> change, _ = optimizer.update({"kernel": jnp.full((2, 3), 1e-8)}, optimizer.init(weights), weights)
    >>> round(float(change["kernel"][0, 0]), 6)
    -0.04
    """
    real_number("weight_decay", weight_decay, at_least=0.0)
    parts = (
        scale_by_splus(momentum, memory),
        optax.add_decayed_weights(weight_decay),
        optax.stateless(lambda updates, _: jax.tree_util.tree_map_with_path(_scaled, updates)),
        optax.scale_by_learning_rate(learning_rate),
    )
    return optax.chain(*parts, *[track_average(averaging)] * bool(averaging))


def scale_by_splus(momentum: float = 0.9, memory: float = 0.999) -> optax.GradientTransformation:
    """The direction U alone; arguments as for `splus`."""
    for name, share in (("momentum", momentum), ("memory", memory)):
        real_number(name, share, at_least=0.0, at_most=1.0)

    def init(weights: Any) -> SPlusState:
        leaves = jax.tree_util.tree_leaves_with_path(weights)
        spaces = tuple(_first_space(leaf) if is_matrix(path, leaf) else None for path, leaf in leaves)
        return SPlusState(jnp.int32(0), jnp.int32(0), jax.tree.map(jnp.zeros_like, weights), spaces)

    def update(gradients: Any, state: SPlusState, weights: Any = None) -> tuple[Any, SPlusState]:
        mean = jax.tree.map(lambda old, new: momentum * old + (1 - momentum) * new, state.momentum, gradients)
        leaves, structure = jax.tree.flatten(mean)
        directions = [_direction(*pair) for pair in zip(leaves, state.spaces, strict=True)]
        pairs = zip(state.spaces, jax.tree.leaves(gradients), strict=True)
        spaces = tuple(_remember(space, gradient, memory) for space, gradient in pairs)
        return jax.tree.unflatten(structure, directions), SPlusState(state.updates + 1, state.renewed, mean, spaces)

    return optax.GradientTransformation(init, update)  # pyright: ignore[reportArgumentType] (a state is a tree)


def renew_bases(state: AnyState, every: int = RENEW_EVERY) -> AnyState:
    """The same with new bases, where they are due: after the first update, and then whenever `every` were made.

    It runs on the host, outside of compiled functions. What it does follows from the state alone, so that a training
    goes on from a file to the bit.

    Args:
        state: of SPlus, or whatever holds one: a chain's, an agent, the state of a training. Without one it is
            returned as it is.
        every: updates.

    Raises:
        ArgumentError: the gradients were not finite.
    """
    is_splus = lambda node: isinstance(node, SPlusState)  # noqa: E731
    return jax.tree.map(lambda node: _renewed(node, every) if is_splus(node) else node, state, is_leaf=is_splus)


def _renewed(state: SPlusState, every: int) -> SPlusState:
    count, renewed = int(state.updates), int(state.renewed)
    if not count or (renewed and count // every == renewed // every):
        return state
    spaces = tuple(space and space._replace(bases=_eigenvectors(space.moments, count)) for space in state.spaces)
    return state._replace(renewed=jnp.int32(count), spaces=spaces)


def _eigenvectors(moments: Sides, count: int) -> Sides:
    """Of both sides, for every member of an ensemble; in double precision, because small eigenvalues count as well."""
    for moment in moments:
        if moment is not None and not np.isfinite(np.asarray(moment)).all():
            raise ArgumentError(
                f"SPlus met gradients that are not finite within {count} updates; give a lower learning rate, or look "
                "for such numbers in the data."
            )
    rows, columns = (
        None if moment is None else jnp.asarray(np.linalg.eigh(np.asarray(moment, np.float64))[1], moment.dtype)
        for moment in moments
    )
    return rows, columns


def _first_space(matrix: jax.Array) -> Eigenspace:
    """Before the first update: no moments, and the matrix as it is."""
    *members, rows, columns = matrix.shape
    eyes = [None if side > LARGEST_SIDE else jnp.eye(side, dtype=matrix.dtype) for side in (rows, columns)]
    first, second = (None if eye is None else jnp.broadcast_to(eye, (*members, *eye.shape)) for eye in eyes)
    bases = (first, second)
    return Eigenspace(jax.tree.map(jnp.zeros_like, bases), bases)


def _direction(mean: jax.Array, space: Eigenspace | None) -> jax.Array:
    """The sign of the mean gradient, taken in the eigenbasis of a matrix."""
    if space is None:
        return jnp.sign(mean)
    rows, columns = space.bases
    mean = mean if rows is None else rows.mT @ mean
    signs = jnp.sign(mean if columns is None else mean @ columns)
    signs = signs if rows is None else rows @ signs
    return signs if columns is None else signs @ columns.mT


def _remember(space: Eigenspace | None, gradient: jax.Array, memory: float) -> Eigenspace | None:
    if space is None:
        return None
    rows, columns = space.moments
    rows = None if rows is None else memory * rows + (1 - memory) * gradient @ gradient.mT
    columns = None if columns is None else memory * columns + (1 - memory) * gradient.mT @ gradient
    return space._replace(moments=(rows, columns))


def _scaled(path: jax.tree_util.KeyPath, update: jax.Array) -> jax.Array:
    """The update, by the size of its matrix."""
    if not is_matrix(path, update) or max(update.shape[-2:]) > LARGEST_SIDE:
        return PLAIN_SCALE * update
    return 2 / sum(update.shape[-2:]) * update
