"""What the data do: a flow over chunks of actions, learned by imitation, that goes on from a prefix.

Noise becomes a chunk in Euler steps along a learned velocity, and the velocity is regressed on `chunk - noise`, as in
flow Q-learning (Park et al. 2025, arXiv 2502.02538) and Q-chunking (arXiv 2507.07969). Rows of a prefix carry no noise,
in training and after, as in training-time Real-Time Chunking (Black et al. 2025, arXiv 2512.05964).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from chunkenv.agents.nets import mlp as perceptron
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons

BLOCK = 1024  # chunks at a time: what a layer makes of them stays in a core's cache, which is faster by a fifth


@dataclass(frozen=True)
class Sizes:
    """Numbers in an observation, O, and in an action, A."""

    observation: int
    action: int


def initial(key: jax.Array, sizes: Sizes, horizons: Horizons, hidden: tuple[int, ...]) -> Layers:
    """Weights to begin with: from an observation, a noisy chunk, which rows are clean, and the flow time."""
    chunk = horizons.prediction_horizon * sizes.action
    return perceptron.initial(key, (sizes.observation + chunk + flags(horizons) + 1, *hidden, chunk))


def flags(horizons: Horizons) -> int:
    """How many rows of a chunk may be clean."""
    return horizons.delay if horizons.prefix else 0


def clean_rows(lengths: jax.Array, horizons: Horizons) -> jax.Array:
    """float32[B, d], 1 for the rows of a prefix of this length [B]; [B, 0] if no prefix is seen."""
    return (jnp.arange(flags(horizons)) < lengths[:, None]).astype(jnp.float32)


def lengths_to_learn(key: jax.Array, count: int, horizons: Horizons) -> jax.Array:
    """Prefix lengths to train with, int[count]: half of them d, the others anything from 0 to d.

    An episode begins without a prefix, and where delays vary it may be shorter; mostly it is d.
    """
    most = flags(horizons)
    drawn = jax.random.randint(key, (count,), 0, most + 1)
    return jnp.where(jnp.arange(count) % 2 == 0, most, drawn)


def loss(
    layers: Layers,
    observations: jax.Array,
    chunks: jax.Array,
    known: jax.Array,
    horizons: Horizons,
    key: jax.Array,
) -> jax.Array:
    """The mean squared error of the velocity over rows that were played and are not given.

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
    clean = clean_rows(lengths_to_learn(for_length, len(chunks), horizons), horizons)
    given = padded(clean, chunks.shape[1])
    mixed = jnp.where(given[..., None] > 0, chunks, noise + time[..., None] * (chunks - noise))
    velocity = perceptron.apply(layers, observations, mixed.reshape(len(mixed), -1), clean, time)
    error = ((velocity.reshape(chunks.shape) - (chunks - noise)) ** 2).mean(axis=-1)
    counted = known * (1 - given)
    return (error * counted).sum() / jnp.maximum(counted.sum(), 1)


def chunks_from(
    layers: Layers,
    observations: jax.Array,
    noise: jax.Array,
    prefix: jax.Array,
    lengths: jax.Array,
    horizons: Horizons,
    steps: int,
    dtype: Any = jnp.float32,
) -> jax.Array:
    """Chunks within [-1, 1] from noise.

    Args:
        layers: of the flow.
        observations: [B, O].
        noise: [B, N, H, A], for N chunks of each observation.
        prefix: [B, d, A], of which the first `lengths` rows are given; not looked at if no prefix is seen.
        lengths: int[B].
        horizons: H and the longest prefix.
        steps: Euler steps.
        dtype: of factors, see `perceptron.apply`.

    Returns:
        float32[B, N, H, A], each beginning with its prefix.
    """
    clean = clean_rows(lengths, horizons)
    start = with_prefix(noise, prefix, clean)

    def block(observations: jax.Array, clean: jax.Array, start: jax.Array) -> jax.Array:
        return _euler(layers, observations, clean, start, steps, dtype)

    return in_blocks(block, noise.shape[1], observations, clean, start).clip(-1, 1)


def with_prefix(chunks: jax.Array, prefix: jax.Array, clean: jax.Array) -> jax.Array:
    """Chunks [B, N, H, A] whose clean rows [B, d] are those of the prefix [B, d, A]."""
    rows = clean.shape[1]
    if not rows:
        return chunks
    given = jnp.where(clean[:, None, :, None] > 0, prefix[:, None], chunks[:, :, :rows])
    return jnp.concatenate([given, chunks[:, :, rows:]], axis=2)


def _euler(
    layers: Layers, observations: jax.Array, clean: jax.Array, start: jax.Array, steps: int, dtype: Any
) -> jax.Array:
    """Follow the velocity from noise to data; clean rows stay. The loop is unrolled, which lets XLA fuse more."""
    count, samples, horizon, _ = start.shape
    shared = (observations[:, None], clean[:, None])
    free = jnp.repeat(1 - padded(clean, horizon), start.shape[3], axis=1)[:, None]
    flat = start.reshape(count, samples, -1)
    for step in range(steps):
        time = jnp.full((1, 1, 1), step / steps)
        velocity = perceptron.apply(layers, shared[0], flat, shared[1], time, dtype=dtype)
        flat = flat + (velocity * free if clean.shape[1] else velocity) / steps
    return flat.reshape(start.shape)


def in_blocks(function: Any, samples: int, *arrays: jax.Array) -> jax.Array:
    """`function(*arrays)`, a block of states at a time if there are many, and they divide evenly."""
    count, size = len(arrays[0]), max(BLOCK // samples, 1)
    if count <= size or count % size:
        return function(*arrays)
    blocks = tuple(array.reshape(count // size, size, *array.shape[1:]) for array in arrays)
    results = jax.lax.map(lambda block: function(*block), blocks)
    return results.reshape(count, *results.shape[2:])


def padded(clean: jax.Array, horizon: int) -> jax.Array:
    """Which of all rows are clean, [B, H]."""
    return jnp.pad(clean, ((0, 0), (0, horizon - clean.shape[1])))
