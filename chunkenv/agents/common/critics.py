"""Critics of chunks: ensembles of networks that value the executed rows of a window."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from chunkenv.agents.common.learner import AgentSettings
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.replay_buffer import Batch


def initial_critics(key: jax.Array, sizes: Sizes, settings: AgentSettings, rows: int | None = None) -> Layers:
    """Critics of chunks of so many rows; of the rows that are seen of a prediction if None."""
    seen = settings.horizons.seen
    inputs = sizes.observation + (seen.stop - seen.start if rows is None else rows) * sizes.action
    return mlp.initial_ensemble(key, settings.critics, (inputs, *settings.hidden, 1), settings.norm)


def critic_values(critics: Layers, observations: jax.Array, rows: jax.Array, activation: str = "gelu") -> jax.Array:
    """The value of chunks by each critic.

    Args:
        critics: E of them.
        observations: [B, O].
        rows: [B, ..., R, A], the rows that it sees.
        activation: of the critics, see `mlp.apply`.

    Returns:
        float32[E, B, ...].
    """
    flat = rows.reshape(*rows.shape[:-2], -1)
    between = (1,) * (flat.ndim - 2)
    return mlp.apply_ensemble(
        critics, observations.reshape(len(observations), *between, -1), flat, activation=activation
    )


def best_chunks(critics: Layers, observations: jax.Array, chunks: jax.Array, seen: slice) -> jax.Array:
    """Of N chunks [B, N, H, A] the one with the highest mean value over critics, [B, H, A]."""

    def block(observations: jax.Array, rows: jax.Array) -> jax.Array:
        return critic_values(critics, observations, rows).mean(axis=0)

    values = mlp.in_blocks(block, chunks.shape[1], observations, chunks[:, :, seen])
    return jnp.take_along_axis(chunks, values.argmax(axis=1)[:, None, None, None], axis=1)[:, 0]


def fill_unplayed(rows: jax.Array, known: jax.Array, key: jax.Array) -> jax.Array:
    """Rows [B, R, A] with those of other windows where nothing was played.

    So the critic learns that they don't matter there, on such actions as it will be asked for. Noise or zeros would
    tell a critic that does not see all executed actions that the task ended.
    """
    whole = known.prod(axis=1) + 1e-9
    donors = jax.random.choice(key, len(rows), (len(rows),), p=whole / whole.sum())
    return jnp.where(known[..., None] > 0, rows, rows[donors])


def window_actions(batch: Batch[jax.Array], key: jax.Array) -> jax.Array:
    """The actions of a batch's windows [B, R, A], with those of others where nothing was played."""
    return fill_unplayed(batch.actions, batch.known, key)


def mean_counted(errors: jax.Array, counted: jax.Array) -> jax.Array:
    """The mean of errors [E, B] over the windows [B] that count."""
    return (errors * counted).sum() / jnp.maximum(counted.sum(), 1) / len(errors)
