"""Averaged weights: a network acts steadier with the mean of its last weights than with the newest ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from chunkenv.utils.checks import real_number

AVERAGING = 0.999
"""How much of the average is kept in an update."""


class AveragedState(NamedTuple):
    """The state of `track_average`.

    Attributes:
        sums: like the weights: their exponential mean, which begins at zero.
        share: the same mean of a weight that is always 1: what the beginning at zero has left over.
    """

    sums: Any
    share: jax.Array


def track_average(decay: float = AVERAGING) -> optax.GradientTransformation:
    """Keeps an exponential mean of the weights; it is the last of a chain, and changes no update.

    Args:
        decay: how much of the mean is kept in an update, from 0 to below 1.

    Raises:
        ArgumentError: for an invalid decay.
    """
    real_number("decay", decay, at_least=0.0, at_most=1 - 1e-6)

    def init(weights: Any) -> AveragedState:
        return AveragedState(jax.tree.map(jnp.zeros_like, weights), jnp.float32(0))

    def update(updates: Any, state: AveragedState, weights: Any = None) -> tuple[Any, AveragedState]:
        after = optax.apply_updates(weights, updates)
        moved = jax.tree.map(lambda mean, new: decay * mean + (1 - decay) * new, (*state,), (after, 1.0))
        return updates, AveragedState(*moved)

    return optax.GradientTransformation(init, update)  # pyright: ignore[reportArgumentType] (a state is a tree)


def averaged_weights(opt_state: Any, weights: Any) -> Any:
    """The average that an optimizer tracks, free of its beginning at zero; `weights` where it tracks none.

    Args:
        opt_state: of an optimizer with `track_average`, or of any other.
        weights: those of now, which are also the average before the first update.
    """
    nodes = jax.tree.leaves(opt_state, is_leaf=lambda node: isinstance(node, AveragedState))
    states = [node for node in nodes if isinstance(node, AveragedState)]
    if not states:
        return weights
    sums, share = states[0]
    begun = share > 0
    return jax.tree.map(lambda mean, now: jnp.where(begun, mean / jnp.where(begun, share, 1), now), sums, weights)
