"""The action expert: a smaller transformer over the rows of a chunk that attends to the backbone's keys and values.

It has weights of its own in every layer, and the rows see each other as well as what the backbone has seen (Black et
al. 2024, arXiv 2410.24164). Flow time shifts, scales and gates what each layer adds, and all gates are 0 at first
(Peebles and Xie 2023, arXiv 2212.09748); a clean row has a time of its own, 1.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from chunkenv.agents.vla.backbone import KEYS, VALUES_SEEN
from chunkenv.agents.vla.layers import (
    ATTENTION,
    Weights,
    attend,
    dense,
    feed_forward,
    initial_attention,
    initial_dense,
    initial_feed_forward,
    normalise,
)
from chunkenv.agents.vla.vla_settings import VLANetworkSize, VLASizes

TIME_FEATURES = 32
"""Half sines, half cosines; the fastest turns 8 times while flow time goes from 0 to 1, the slowest 1/8 of a turn."""


def initial_expert(key: jax.Array, network: VLANetworkSize, sizes: VLASizes) -> Weights:
    """Weights to begin with; the velocity is 0."""
    for_time, for_rows, for_places, for_layers = jax.random.split(key, 4)
    width = network.expert_width
    return {
        "time": initial_dense(for_time, TIME_FEATURES, width),
        "read": initial_dense(for_rows, sizes.action, width),
        "places_embed": 0.1 * jax.random.normal(for_places, (sizes.horizon, width)),
        "layers": [_initial_layer(each, width, network.width) for each in jax.random.split(for_layers, network.layers)],
        "modulate": initial_dense(key, width, 2 * width, gain=0.0),
        "out": initial_dense(key, width, sizes.action, gain=0.0),
    }


def run_expert(weights: Weights, heads: int, seen: jax.Array, chunks: jax.Array, times: jax.Array) -> jax.Array:
    """What the expert makes of noisy chunks, [N, H, A].

    Args:
        weights: of the expert.
        heads: of attention.
        seen: [N, layers, 2, T, D], the backbone's keys and values.
        chunks: [N, H, A].
        times: [N, H], the flow time of each row.
    """
    time = jax.nn.silu(dense(weights["time"], time_features(times)))
    x = dense(weights["read"], chunks) + weights["places_embed"]
    for number, layer in enumerate(weights["layers"]):
        x = _run_layer(layer, heads, seen[:, number], x, time)
    shift, scale = jnp.split(dense(weights["modulate"], time), 2, axis=-1)
    return dense(weights["out"], normalise(x) * (1 + scale) + shift)


def time_features(times: jax.Array) -> jax.Array:
    """Times [...] in [0, 1] as [..., 32]."""
    turns = 2.0 ** jnp.linspace(-3, 3, TIME_FEATURES // 2)
    angles = 2 * jnp.pi * times[..., None] * turns
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)


def _run_layer(layer: Weights, heads: int, seen: jax.Array, x: jax.Array, time: jax.Array) -> jax.Array:
    shift, scale, gate, shift_after, scale_after, gate_after = jnp.split(dense(layer["modulate"], time), 6, axis=-1)
    given = normalise(x) * (1 + scale) + shift
    queries, keys, values = (dense(layer["attention"][name], given) for name in ATTENTION)
    keys = jnp.concatenate([seen[:, KEYS], keys], axis=1)
    values = jnp.concatenate([seen[:, VALUES_SEEN], values], axis=1)
    x = x + gate * dense(layer["attention"]["out"], attend(queries, keys, values, heads))
    return x + gate_after * feed_forward(layer["feed_forward"], normalise(x) * (1 + scale_after) + shift_after)


def _initial_layer(key: jax.Array, width: int, inner: int) -> Weights:
    for_attention, for_feed_forward, for_time = jax.random.split(key, 3)
    return {
        "attention": initial_attention(for_attention, width, inner),
        "feed_forward": initial_feed_forward(for_feed_forward, width),
        "modulate": initial_dense(for_time, width, 6 * width, gain=0.0),
    }
