"""A policy that makes a chunk of noise in one step, taught by the flow (Park et al. 2025, arXiv 2502.02538)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, draw_prefix_lengths
from chunkenv.agents.nets.chunk_flow import Sizes, clean_rows, with_prefix
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons


def initial_one_step(key: jax.Array, sizes: Sizes, horizons: Horizons, hidden: tuple[int, ...]) -> Layers:
    """Weights to begin with: from an observation, noise with the prefix in it, and which rows are clean."""
    chunk = horizons.prediction_horizon * sizes.action
    return mlp.initial(key, (sizes.observation + chunk + horizons.seen_prefix, *hidden, chunk))


def one_step_chunks(
    layers: Layers,
    observations: jax.Array,
    noise: jax.Array,
    prefix: jax.Array,
    lengths: jax.Array,
    horizons: Horizons,
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """Chunks from noise; arguments and result as for `behaviour_chunks`.

    They are not clipped to [-1, 1], so that a loss sees how far beyond it the network is.
    """
    clean = clean_rows(lengths, horizons.seen_prefix)
    start = with_prefix(noise, prefix, clean)
    flat = start.reshape(*start.shape[:2], -1)
    chunks = mlp.apply(layers, observations[:, None], flat, clean[:, None], dtype=dtype)
    return with_prefix(chunks.reshape(start.shape), prefix, clean)


def one_step_imitation(
    layers: Layers,
    flow: Layers,
    observations: jax.Array,
    actions: jax.Array,
    horizons: Horizons,
    steps: int,
    key: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """How far the policy is from the flow that begins with the same noise.

    Args:
        layers: of the policy.
        flow: the behaviour's.
        observations: [B, O].
        actions: [B, R, A], the first of which serve as prefixes.
        horizons: H and the longest prefix.
        steps: of the flow.
        key: of noise and prefix lengths.

    Returns:
        The mean squared error, and the policy's chunks, [B, H, A], not clipped.
    """
    for_noise, for_length = jax.random.split(key)
    lengths = draw_prefix_lengths(for_length, len(observations), horizons)
    prefix = actions[:, : horizons.seen_prefix]
    noise = jax.random.normal(for_noise, (len(actions), 1, horizons.prediction_horizon, actions.shape[2]))
    taught = behaviour_chunks(flow, observations, noise, prefix, lengths, horizons, steps)
    found = one_step_chunks(layers, observations, noise, prefix, lengths, horizons)
    return ((found - taught) ** 2).mean(), found[:, 0]
