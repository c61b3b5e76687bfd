"""A flow over sub-goals: what the data reach some ticks later, on the way to a goal.

The high level of SHARSA (Park et al. 2025, arXiv 2506.04168). It sees the actions that are decided already, so that it
draws what can still be reached.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import draw_prefix_lengths
from chunkenv.agents.nets.chunk_flow import Sizes, clean_rows
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons
from chunkenv.utils.euler import euler


def initial_subgoal_flow(
    key: jax.Array, sizes: Sizes, goal_size: int, horizons: Horizons, hidden: tuple[int, ...]
) -> Layers:
    """Weights to begin with; `sizes.observation` counts the goal, too."""
    prefix = horizons.seen_prefix * (sizes.action + 1)
    return mlp.initial(key, (sizes.observation + prefix + goal_size + 1, *hidden, goal_size))


def subgoal_loss(
    layers: Layers, observations: jax.Array, chunks: jax.Array, subgoals: jax.Array, horizons: Horizons, key: jax.Array
) -> jax.Array:
    """The mean squared error of the flow's velocity.

    Args:
        layers: of the flow.
        observations: [B, O], with the goals.
        chunks: [B, H, A], which begin with the prefix.
        subgoals: [B, G].
        horizons: the longest prefix.
        key: of noise, times and prefix lengths.
    """
    for_noise, for_time, for_length = jax.random.split(key, 3)
    noise = jax.random.normal(for_noise, subgoals.shape)
    time = jax.random.uniform(for_time, (len(subgoals), 1))
    lengths = draw_prefix_lengths(for_length, len(subgoals), horizons)
    path = (1 - time) * noise + time * subgoals
    decided = _decided(chunks, lengths, horizons)
    return ((mlp.apply(layers, observations, decided, path, time) - (subgoals - noise)) ** 2).mean()


def draw_subgoals(
    layers: Layers,
    observations: jax.Array,
    noise: jax.Array,
    prefix: jax.Array,
    lengths: jax.Array,
    horizons: Horizons,
    steps: int,
) -> jax.Array:
    """Sub-goals from noise.

    Args:
        layers: of the flow.
        observations: [B, O], with the goals.
        noise: [B, N, G], for N sub-goals of each observation.
        prefix: [B, d, A], of which the first `lengths` rows are given.
        lengths: int[B].
        horizons: the longest prefix.
        steps: Euler steps.

    Returns:
        float32[B, N, G].
    """
    seen, decided = observations[:, None], _decided(prefix, lengths, horizons)[:, None]
    return euler(lambda path, time: mlp.apply(layers, seen, decided, path, jnp.full((1, 1, 1), time)), noise, steps)


def _decided(rows: jax.Array, lengths: jax.Array, horizons: Horizons) -> jax.Array:
    """The prefix as a part of the state, [B, d * (A + 1)]: its rows, zero beyond its length, and which ones count."""
    clean = clean_rows(lengths, horizons.seen_prefix)
    given = rows[:, : horizons.seen_prefix] * clean[..., None]
    return jnp.concatenate([given, clean[..., None]], axis=-1).reshape(len(rows), -1)
