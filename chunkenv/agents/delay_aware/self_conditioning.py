"""REMAC: a policy is tuned to go on from what it would have planned itself (Wang et al. 2026, arXiv 2601.20130).

It begins as a plain policy, which also stays beside it, frozen. In each window the chunk that the network is shown is
the demonstrated one or, more and more often, one that the frozen policy samples: its first rows are a prefix, the
others are on the path from noise to it. The target is always the demonstrated chunk, and the rows behind the prefix
count: so the network learns to correct the chunks that it is shown.

The paper's second term, which matches the correction of the frozen policy, is the same squared error again, because
the frozen policy cancels out: one term stands for both. What is other here: all weights are tuned, not adapters of low
rank, because the network is small; a prefix is clean, as it is at inference.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from chunkenv.agents.flow_matching import FlowSettings, draw_times_and_lengths
from chunkenv.agents.nets.chunk_flow import clean_rows, mean_error, sample_chunks
from chunkenv.agents.nets.mixer import Weights
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number


@dataclass(frozen=True)
class RemacSettings(FlowSettings):
    """Those of a flow policy, for a shorter training with smaller steps, and one more.

    Attributes:
        last_share: of windows that show the demonstrated chunk, at the end; it falls evenly from 1 to this.

    Raises:
        ArgumentError: for an invalid value.
    """

    max_prefix: int = 4
    updates: int = 3000
    learning_rate: float = 3e-3
    warm_up: int = 100
    last_share: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        real_number("last_share", self.last_share, at_least=0.0, at_most=1.0)
        if not self.max_prefix or self.soft_rows:
            raise ArgumentError(
                f"REMAC learns from hard prefixes, but max_prefix={self.max_prefix} and soft_rows={self.soft_rows}; "
                "give max_prefix of at least 1, and no soft rows."
            )


@partial(jax.tree_util.register_dataclass, data_fields=["frozen"], meta_fields=["max_prefix", "last_share"])
@dataclass(frozen=True)
class SelfConditioning:
    """The objective.

    Attributes:
        frozen: the policy that the training begins with.
        max_prefix: as in `RemacSettings`.
        last_share: as in `RemacSettings`.
    """

    frozen: PreconditionedFlow
    max_prefix: int
    last_share: float

    def loss(
        self,
        weights: Weights,
        flow: PreconditionedFlow,
        key: jax.Array,
        done: jax.Array,
        observations: Array,
        actions: Array,
        mask: Array,
    ) -> jax.Array:
        """As `Objective.loss`."""
        noise, filling = jax.random.normal(key, (2, *actions.shape))
        time, lengths = draw_times_and_lengths(key, len(actions), self.max_prefix)
        data = jnp.where(mask[..., None] > 0, actions, filling)
        shown = self._show_chunks(observations, data, key, done)
        clean = clean_rows(lengths, actions.shape[1])
        path = noise + time[:, None, None] * (shown - noise)
        path = jnp.where(clean[..., None] > 0, shown, path)
        found = dataclasses.replace(flow, weights=weights).velocity(observations, path, time, lengths)
        return mean_error(found, data - noise, mask * (1 - clean))

    def _show_chunks(self, observations: Array, data: jax.Array, key: jax.Array, done: jax.Array) -> jax.Array:
        """Demonstrated chunks, or the frozen policy's own."""
        for_chunk, for_share = jax.random.split(jax.random.fold_in(key, 3))
        own = sample_chunks(self.frozen, jnp.asarray(observations), jax.random.normal(for_chunk, data.shape))
        share = 1 - done * (1 - self.last_share)
        return jnp.where(jax.random.bernoulli(for_share, share, (len(data), 1, 1)), data, own)
