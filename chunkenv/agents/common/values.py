"""What the value of a state is learned by, where nothing is maximised: errors that lean to the better outcomes.

The expectile of implicit Q-learning (Kostrikov, Nair and Levine 2021, arXiv 2110.06169), the quantile of decoupled
Q-chunking (arXiv 2512.10926), and the binary cross-entropy for values that are probabilities, as in SHARSA (arXiv
2506.04168), which may lean, too. A share of .5 leans nowhere.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


def expectile_errors(missing: jax.Array, share: float) -> jax.Array:
    """Squares of what is missing to the target, weighted `share` where it is above and 1 - share where below.

    >>> expectile_errors(jnp.array([1.0, -1.0]), 0.75).tolist()
    [0.75, 0.25]
    """
    return leaning(missing, share) * missing**2


def quantile_errors(missing: jax.Array, share: float) -> jax.Array:
    """The same with absolute values: what minimises their mean is a quantile.

    >>> quantile_errors(jnp.array([2.0, -2.0]), 0.75).tolist()
    [1.5, 0.5]
    """
    return leaning(missing, share) * jnp.abs(missing)


def cross_entropy_errors(logits: jax.Array, probabilities: jax.Array) -> jax.Array:
    """The binary cross-entropy of values, given as logits: the mean is least where a value is the mean probability.

    >>> [round(float(error), 3) for error in cross_entropy_errors(jnp.array([0.0, 2.0]), jnp.array([0.0, 1.0]))]
    [0.693, 0.127]
    """
    return jax.nn.softplus(logits) - probabilities * logits


def expectile_cross_entropy_errors(logits: jax.Array, probabilities: jax.Array, share: float) -> jax.Array:
    """The same, leaning: following its gradient, a value becomes the expectile of the probabilities.

    No gradient goes into the weights.
    """
    missing = probabilities - jax.lax.stop_gradient(jax.nn.sigmoid(logits))
    return leaning(missing, share) * cross_entropy_errors(logits, probabilities)


def leaning(missing: jax.Array, share: float) -> jax.Array:
    """The weight of each error: `share` where the target is above the value, or at it, and 1 - share where below."""
    return jnp.where(missing >= 0, share, 1 - share)
