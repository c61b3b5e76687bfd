"""The flow that Q-chunking agents imitate the data with: a plain MLP from observation, chunk, prefix and flow time.

As in flow Q-learning (Park et al. 2025, arXiv 2502.02538) and Q-chunking (arXiv 2507.07969).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.chunk_flow import Flow, Sizes, all_rows, clean_rows, flow_loss, with_prefix
from chunkenv.agents.nets.mlp import Array, Layers
from chunkenv.data.horizons import Horizons
from chunkenv.utils.euler import euler


def initial_behaviour(key: jax.Array, sizes: Sizes, horizons: Horizons, hidden: tuple[int, ...]) -> Layers:
    """Weights to begin with."""
    chunk = horizons.prediction_horizon * sizes.action
    return mlp.initial(key, (sizes.observation + chunk + horizons.seen_prefix + 1, *hidden, chunk))


def behaviour_loss(
    layers: Layers,
    observations: jax.Array,
    chunks: jax.Array,
    known: jax.Array,
    horizons: Horizons,
    key: jax.Array,
) -> jax.Array:
    """The loss of the flow.

    Args:
        layers: of the flow.
        observations: [B, O].
        chunks: [B, H, A]; what stands in rows that were never played doesn't matter.
        known: [B, H], 1 for rows that were played.
        horizons: H and the longest prefix.
        key: of noise, times and prefix lengths.
    """
    for_noise, for_time, for_length = jax.random.split(key, 3)
    noise = jax.random.normal(for_noise, chunks.shape)
    time = jax.random.uniform(for_time, (len(chunks), 1))
    clean = clean_rows(draw_prefix_lengths(for_length, len(chunks), horizons), horizons.seen_prefix)

    def velocity(path: jax.Array) -> jax.Array:
        return _network(layers, observations, path, clean, time)

    return flow_loss(velocity, chunks, noise, time[:, 0], all_rows(clean, chunks.shape[1]), known)


def behaviour_chunks(
    layers: Layers,
    observations: jax.Array,
    noise: jax.Array,
    prefix: jax.Array,
    lengths: jax.Array,
    horizons: Horizons,
    steps: int,
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """Chunks within [-1, 1] from noise.

    Args:
        layers: of the flow.
        observations: [B, O].
        noise: [B, N, H, A], for N chunks of each observation.
        prefix: [B, d, A], of which the first `lengths` rows are given; ignored if no prefix is seen.
        lengths: int[B].
        horizons: H and the longest prefix.
        steps: Euler steps.
        dtype: of factors, see `mlp.apply`.

    Returns:
        float32[B, N, H, A], each beginning with its prefix.
    """
    clean = clean_rows(lengths, horizons.seen_prefix)

    def block(observations: jax.Array, clean: jax.Array, start: jax.Array) -> jax.Array:
        seen, given = observations[:, None], clean[:, None]
        return euler(
            lambda chunks, time: _velocity(layers, seen, chunks, given, jnp.full((1, 1, 1), time), dtype), start, steps
        )

    start = with_prefix(noise, prefix, clean)
    return mlp.in_blocks(block, noise.shape[1], observations, clean, start).clip(-1, 1)


def draw_prefix_lengths(key: jax.Array, count: int, horizons: Horizons) -> jax.Array:
    """Prefix lengths to train with, int[count]: half of them d, the others anything from 0 to d.

    An episode begins without a prefix, and where delays vary it may be shorter; mostly it is d.
    """
    longest = horizons.seen_prefix
    drawn = jax.random.randint(key, (count,), 0, longest + 1)
    return jnp.where(jnp.arange(count) % 2 == 0, longest, drawn)


@partial(jax.tree_util.register_dataclass, data_fields=["layers"], meta_fields=["horizons", "steps"])
@dataclass(frozen=True)
class BehaviourFlow(Flow):
    """The flow inside an agent, as a value.

    Attributes:
        layers: of the network.
        horizons: H and the longest prefix.
        steps: Euler steps.
    """

    layers: Layers
    horizons: Horizons
    steps: int

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`."""
        lengths = jnp.zeros(len(chunks), jnp.int32) if prefix_length is None else jnp.asarray(prefix_length)
        times = jnp.full((len(chunks), 1), time, jnp.float32)
        return _velocity(self.layers, observations, chunks, clean_rows(lengths, self.horizons.seen_prefix), times)


def _velocity(
    layers: Layers,
    observations: Array,
    chunks: Array,
    clean: jax.Array,
    time: jax.Array,
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """The output of the network, 0 in clean rows."""
    velocity = _network(layers, observations, chunks, clean, time, dtype)
    return velocity * (1 - all_rows(clean, chunks.shape[-2]))[..., None] if clean.shape[-1] else velocity


def _network(
    layers: Layers,
    observations: Array,
    chunks: Array,
    clean: jax.Array,
    time: jax.Array,
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """For chunks [..., H, A], and observations [..., O], clean rows [..., d] and times [..., 1] that broadcast."""
    flat = mlp.apply(layers, observations, chunks.reshape(*chunks.shape[:-2], -1), clean, time, dtype=dtype)
    return flat.reshape(chunks.shape)
