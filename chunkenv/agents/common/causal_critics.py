"""Critics that value the beginnings of a chunk, of every length, in one pass: no value depends on later rows.

As the critic of CO-RFT (arXiv 2508.02219), which predicts a sequence of values. Here one network sees the observation,
the rows up to a length, zeros behind them, and which rows are missing; all lengths go through it side by side. For a
whole chunk nothing is missing: `critic_values` and `best_chunks` give its value alone.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from chunkenv.agents.common.learner import AgentSettings
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers


def initial_causal_critics(key: jax.Array, sizes: Sizes, settings: AgentSettings, lengths: int) -> Layers:
    """Critics of the prefix that is seen, and of 1 to so many rows behind it."""
    rows = settings.horizons.seen_prefix + lengths
    inputs = sizes.observation + rows * sizes.action + lengths
    return mlp.initial_ensemble(key, settings.critics, (inputs, *settings.hidden, 1), settings.norm)


def values_by_length(critics: Layers, observations: jax.Array, rows: jax.Array, lengths: int) -> jax.Array:
    """The values of the first 1, 2, .. rows behind the prefix.

    Args:
        critics: E of them.
        observations: [B, O].
        rows: [B, R, A], the prefix that is seen and then `lengths` rows.
        lengths: how many values each gets.

    Returns:
        float32[E, B, lengths].
    """
    missing = jnp.arange(lengths) > jnp.arange(lengths)[:, None]
    hidden = jnp.pad(missing, ((0, 0), (rows.shape[1] - lengths, 0)))
    shown = jnp.where(hidden[..., None], 0.0, rows[:, None])
    return mlp.apply_ensemble(
        critics, observations[:, None], shown.reshape(len(rows), lengths, -1), missing.astype(jnp.float32)
    )
