"""A policy that makes a chunk of noise in one step, taught by the flow (Park et al. 2025, arXiv 2502.02538)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from chunkenv.agents.nets import chunk_flow as behaviour
from chunkenv.agents.nets import mlp as perceptron
from chunkenv.agents.nets.chunk_flow import Sizes, clean_rows, flags, with_prefix
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons


def initial(key: jax.Array, sizes: Sizes, horizons: Horizons, hidden: tuple[int, ...]) -> Layers:
    """Weights to begin with: from an observation, noise with the prefix in it, and which rows are clean."""
    chunk = horizons.prediction_horizon * sizes.action
    return perceptron.initial(key, (sizes.observation + chunk + flags(horizons), *hidden, chunk))


def chunks_from(
    layers: Layers,
    observations: jax.Array,
    noise: jax.Array,
    prefix: jax.Array,
    lengths: jax.Array,
    horizons: Horizons,
    dtype: Any = jnp.float32,
) -> jax.Array:
    """Chunks within [-1, 1] from noise; arguments and result as for `behaviour.chunks_from`."""
    return raw_chunks(layers, observations, noise, prefix, lengths, horizons, dtype).clip(-1, 1)


def raw_chunks(
    layers: Layers,
    observations: jax.Array,
    noise: jax.Array,
    prefix: jax.Array,
    lengths: jax.Array,
    horizons: Horizons,
    dtype: Any = jnp.float32,
) -> jax.Array:
    """Chunks as the network has them, not clipped: an error beyond the bounds is one, too."""
    clean = clean_rows(lengths, horizons)
    start = with_prefix(noise, prefix, clean)
    flat = start.reshape(*start.shape[:2], -1)
    chunks = perceptron.apply(layers, observations[:, None], flat, clean[:, None], dtype=dtype)
    return with_prefix(chunks.reshape(start.shape), prefix, clean)


def imitation(
    layers: Layers, flow: Layers, observations: jax.Array, actions: jax.Array, settings: Any, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """How far the policy is from the flow that begins with the same noise.

    Args:
        layers: of the policy.
        flow: the behaviour's.
        observations: [B, O].
        actions: [B, R, A], the first of which serve as prefixes.
        settings: with `horizons` and `steps`.
        key: of noise and prefix lengths.

    Returns:
        The mean squared error, and the policy's chunks, [B, H, A], not clipped.
    """
    horizons = settings.horizons
    for_noise, for_length = jax.random.split(key)
    lengths = behaviour.lengths_to_learn(for_length, len(observations), horizons)
    prefix = actions[:, : flags(horizons)]
    noise = jax.random.normal(for_noise, (len(actions), 1, horizons.prediction_horizon, actions.shape[2]))
    taught = behaviour.chunks_from(flow, observations, noise, prefix, lengths, horizons, settings.steps)
    done = raw_chunks(layers, observations, noise, prefix, lengths, horizons)
    return ((done - taught) ** 2).mean(), done[:, 0]
