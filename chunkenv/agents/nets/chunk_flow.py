"""The one flow over chunks: the rule of the prefix, the loss, and the Euler steps from noise to a chunk.

Flow time t runs from 0, noise, to 1, data, along straight paths (Lipman et al. 2023, arXiv 2210.02747):

    chunk(t) = t * data + (1 - t) * noise          loss = |velocity(chunk(t), t) - (data - noise)|^2

Rows of a prefix are clean: they carry no noise, in training and after, their velocity is 0, and their error does not
count, as in training-time Real-Time Chunking (Black et al. 2025, arXiv 2512.05964). Rows behind it may be given in
part: such a row begins at a flow time of its own between noise and data, and reaches data when all others do.

A velocity is given as a function, because two networks serve: `behaviour_flow` and `preconditioned_flow`. So are the
draws of noise, flow times and prefix lengths, which differ between the two recipes on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.mlp import Array
from chunkenv.utils.euler import PlainEuler


@dataclass(frozen=True)
class Sizes:
    """Numbers in an observation, O, and in an action, A."""

    observation: int
    action: int


class Flow:
    """A learned velocity as a value that can be handed to a compiled function; execution strategies look into it.

    Attributes:
        steps: Euler steps from noise to a chunk.
    """

    steps: int

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """The derivative of chunks by flow time.

        Args:
            observations: [N, O].
            chunks: [N, H, A], in the network's space.
            time: 0 (noise) to below 1 (data), one for all or [N].
            prefix_length: int[N], how many rows of each chunk are clean; None for none.

        Returns:
            float32[N, H, A], 0 in clean rows.
        """
        raise NotImplementedError

    def see(self, observations: Array) -> jax.Array:
        """What the velocity makes of observations [N, ...] before it looks at chunks and time, [N, ...]."""
        return jnp.asarray(observations)

    @property
    def seen(self) -> Flow:
        """The flow that takes what `see` returns for observations.

        With a first layer in `see`, what is compiled for this flow serves tasks with observations of any size.
        """
        return self

    def velocity_vjp(
        self, observations: Array, chunks: Array, time: Array | float
    ) -> tuple[jax.Array, Callable[[Array], jax.Array]]:
        """The velocity, and a function that multiplies [N, H, A] by its transposed Jacobian in `chunks`."""
        velocity, pullback = jax.vjp(lambda given: self.velocity(observations, given, time), jnp.asarray(chunks))
        return velocity, lambda cotangent: pullback(cotangent)[0]


def sample_chunks(flow: Flow, observations: jax.Array, noise: jax.Array) -> jax.Array:
    """Chunks from noise, [N, H, A]; `flow` may be anything with `velocity` and `steps`."""
    return PlainEuler(flow.steps)(flow, observations, noise)


def flow_loss(
    velocity: Callable[[jax.Array], jax.Array],
    chunks: Array,
    noise: jax.Array,
    time: jax.Array,
    clean: jax.Array,
    known: Array,
    given: Array | None = None,
) -> jax.Array:
    """The mean squared error of the velocity over rows that are known and not clean.

    Args:
        velocity: of chunks on the path, [B, H, A], at their flow times.
        chunks: [B, H, A], the data; what stands in rows that are not known doesn't matter.
        noise: [B, H, A].
        time: [B], or [B, H] for rows with times of their own.
        clean: [B, H], 1 for the rows of a prefix.
        known: [B, H], 1 for rows to learn from.
        given: [B, H, A], what prefixes are made of; `chunks` if None.
    """
    target = chunks - noise
    path = noise + time.reshape(len(time), -1, 1) * target
    found = velocity(jnp.where(clean[..., None] > 0, chunks if given is None else given, path))
    return mean_error(found, target, known * (1 - clean))


def mean_error(found: jax.Array, target: Array, counted: Array) -> jax.Array:
    """The mean squared error of [B, H, A] over the rows that count, [B, H]."""
    return (((found - target) ** 2).mean(axis=-1) * counted).sum() / jnp.maximum(counted.sum(), 1)


def clean_rows(lengths: Array, rows: int) -> jax.Array:
    """Which of so many rows belong to a prefix of this length [N]: float32[N, rows], 1 for those."""
    return (jnp.arange(rows) < lengths[:, None]).astype(jnp.float32)


def soft_weights(lengths: Array, soft: Array, rows: int) -> jax.Array:
    """How much of each row is given: 1 in a prefix, falling evenly over the soft rows behind it, 0 after them.

    Args:
        lengths: int[N], of the prefixes.
        soft: int[N], rows behind each that are given in part.
        rows: of a chunk, H.

    Returns:
        float32[N, H].

    >>> soft_weights(jnp.array([1]), jnp.array([3]), 6).tolist()
    [[1.0, 0.75, 0.5, 0.25, 0.0, 0.0]]
    """
    return jnp.clip(1 - (jnp.arange(rows) + 1 - lengths[:, None]) / (soft[:, None] + 1), 0, 1)


def row_times(time: jax.Array, weights: jax.Array) -> jax.Array:
    """The flow time of each row [N, H]: it goes from the row's weight to 1 while `time` [N] goes from 0 to 1."""
    return weights + (1 - weights) * time[:, None]


def all_rows(clean: jax.Array, horizon: int) -> jax.Array:
    """Which of all rows are clean, [..., H], given the first of them."""
    return jnp.pad(clean, [(0, 0)] * (clean.ndim - 1) + [(0, horizon - clean.shape[-1])])


def with_prefix(chunks: jax.Array, prefix: jax.Array, clean: jax.Array) -> jax.Array:
    """Chunks [B, N, H, A] whose clean rows [B, d] are those of the prefix [B, d, A]."""
    rows = clean.shape[1]
    if not rows:
        return chunks
    given = jnp.where(clean[:, None, :, None] > 0, prefix[:, None], chunks[:, :, :rows])
    return jnp.concatenate([given, chunks[:, :, rows:]], axis=2)
