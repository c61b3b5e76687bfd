"""The layers of a transformer as plain dictionaries of arrays: dense, norm, attention, feed-forward.

Norms come first and have a scale only (Zhang and Sennrich 2019, arXiv 1910.07467); GELU lies between the two dense
layers of a feed-forward, which is four times as wide in between.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.mlp import Array

Weights = dict[str, Any]
"""Arrays by name, nested."""

EPSILON = 1e-6
GROWTH = 4
ATTENTION = ("query", "key", "value")


def initial_dense(key: jax.Array, inputs: int, outputs: int, gain: float = 1.0) -> Weights:
    """A kernel [inputs, outputs] of variance gain^2 / inputs, and a bias of zeros."""
    kernel = gain * jax.random.normal(key, (inputs, outputs)) / inputs**0.5
    return {"kernel": kernel, "bias": jnp.zeros(outputs)}


def dense(layer: Weights, x: Array) -> jax.Array:
    """[..., inputs] to [..., outputs]."""
    return x @ layer["kernel"] + layer["bias"]


def normalise(x: jax.Array) -> jax.Array:
    """Every vector [..., width] with a root mean square of 1."""
    return x * jax.lax.rsqrt((x**2).mean(axis=-1, keepdims=True) + EPSILON)


def initial_attention(key: jax.Array, width: int, inner: int) -> Weights:
    """Projections of vectors of `width` to queries, keys and values of `inner` numbers, and back."""
    keys = jax.random.split(key, 4)
    projections = {name: initial_dense(each, width, inner) for name, each in zip(ATTENTION, keys, strict=False)}
    return {**projections, "out": initial_dense(keys[3], inner, width)}


def attend(queries: jax.Array, keys: jax.Array, values: jax.Array, heads: int, mask: Array | None = None) -> jax.Array:
    """What each query finds: a mean of values, weighted by softmax(query key / sqrt(size of a head)).

    Args:
        queries: [N, Q, D].
        keys: [N, K, D].
        values: [N, K, D].
        heads: of D / heads numbers each.
        mask: bool[Q, K], which keys a query sees; None for all.

    Returns:
        [N, Q, D].
    """
    q, k, v = (each.reshape(*each.shape[:-1], heads, -1) for each in (queries, keys, values))
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k) / q.shape[-1] ** 0.5
    scores = scores if mask is None else jnp.where(mask, scores, -jnp.inf)
    found = jnp.einsum("nhqk,nkhd->nqhd", jax.nn.softmax(scores, axis=-1), v)
    return found.reshape(queries.shape)


def initial_feed_forward(key: jax.Array, width: int) -> Weights:
    """Two dense layers."""
    up, down = jax.random.split(key)
    return {"up": initial_dense(up, width, GROWTH * width), "down": initial_dense(down, GROWTH * width, width)}


def feed_forward(layer: Weights, x: jax.Array) -> jax.Array:
    """[..., width] to [..., width]."""
    return dense(layer["down"], jax.nn.gelu(dense(layer["up"], x)))
