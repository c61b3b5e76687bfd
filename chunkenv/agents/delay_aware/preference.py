"""DEFLECT: fresh chunks are preferred to stale ones (arXiv 2605.19294, and the code released with it).

A prefix-conditioned policy is tuned; as it was, it stays beside it, frozen. In each window of a prefix of d ticks the
frozen policy samples two chunks, from the same noise: one at the observation d ticks later, which is *fresh* for the
rows behind the prefix, and one at the observation of the window, which is *stale* there and knows no prefix. The tuned
policy, which is given the older observation and the prefix, shall be nearer to the first than the frozen one is:

    loss = imitation + preference * mean log(1 + exp(-beta * margin))
    margin = |v - stale|^2 - |v - fresh|^2 - (the same of the frozen velocity) = 2 (v - frozen) (fresh - stale)

summed over the rows behind the prefix: flow matching's form of direct preference optimisation (Wallace et al. 2023,
arXiv 2311.12908). The noise cancels out. The paper conditions on a forecast of the robot's state, as VLASH does; here
it is the prefix that tells the policy of the delay.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from chunkenv.agents.flow_matching import FlowSettings, draw_times_and_lengths, loss
from chunkenv.agents.nets.chunk_flow import clean_rows, sample_chunks
from chunkenv.agents.nets.mixer import Weights
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number


@dataclass(frozen=True)
class DeflectSettings(FlowSettings):
    """Those of a flow policy, for a shorter training with smaller steps, and two more.

    Attributes:
        preference: the weight of the preference beside the imitation; 0 is imitation alone, to the bit.
        beta: how soon a margin is enough.

    Raises:
        ArgumentError: for an invalid value.
    """

    max_prefix: int = 4
    updates: int = 3000
    learning_rate: float = 3e-3
    warm_up: int = 100
    preference: float = 0.02
    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("preference", "beta"):
            real_number(name, getattr(self, name), at_least=0.0)
        if not self.max_prefix or self.soft_rows:
            raise ArgumentError(
                f"DEFLECT learns from hard prefixes, but max_prefix={self.max_prefix} and soft_rows={self.soft_rows}; "
                "give max_prefix of at least 1, and no soft rows."
            )


@partial(jax.tree_util.register_dataclass, data_fields=["frozen"], meta_fields=["max_prefix", "preference", "beta"])
@dataclass(frozen=True)
class Preference:
    """The objective; observations are those of each window's first ticks, [B, 1 + max_prefix, O].

    Attributes:
        frozen: the policy that the training begins with.
        max_prefix: as in `DeflectSettings`.
        preference: as in `DeflectSettings`.
        beta: as in `DeflectSettings`.
    """

    frozen: PreconditionedFlow
    max_prefix: int
    preference: float
    beta: float

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
        now = jnp.asarray(observations)[:, 0]
        imitation = loss(weights, flow, now, actions, mask, key, self.max_prefix)
        if not self.preference:
            return imitation
        _, lengths = draw_times_and_lengths(key, len(actions), self.max_prefix)
        fresh, stale = self._chunks(jnp.asarray(observations), lengths, jax.random.fold_in(key, 3), actions.shape)
        found, frozen = self._velocities(dataclasses.replace(flow, weights=weights), now, actions, mask, key)
        counted = mask * (1 - clean_rows(lengths, actions.shape[1]))
        return imitation + self.preference * preference_loss(found - frozen, fresh - stale, counted, self.beta)

    def _chunks(
        self, observations: jax.Array, lengths: jax.Array, key: jax.Array, shape: tuple[int, ...]
    ) -> tuple[jax.Array, jax.Array]:
        """Chunks whose rows behind the prefix are fresh, and stale; each tick has the same noise in both."""
        noise = jax.random.normal(key, shape)
        later = jnp.take_along_axis(observations, lengths[:, None, None], axis=1)[:, 0]
        rows = jnp.arange(shape[1]) + lengths[:, None]
        fresh = sample_chunks(self.frozen, later, _rows_of(noise, rows))
        return _rows_of(fresh, rows - 2 * lengths[:, None]), sample_chunks(self.frozen, observations[:, 0], noise)

    def _velocities(
        self, learned: PreconditionedFlow, now: jax.Array, actions: Array, mask: Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """The tuned and the frozen velocity, where the imitation asks for it."""
        noise, filling = jax.random.normal(key, (2, *actions.shape))
        time, lengths = draw_times_and_lengths(key, len(actions), self.max_prefix)
        data = jnp.where(mask[..., None] > 0, actions, filling)
        path = noise + time[:, None, None] * (data - noise)
        path = jnp.where(clean_rows(lengths, actions.shape[1])[..., None] > 0, data, path)
        return learned.velocity(now, path, time, lengths), self.frozen.velocity(now, path, time, lengths)


def preference_loss(change: jax.Array, better: jax.Array, counted: Array, beta: float) -> jax.Array:
    """The mean of log(1 + exp(-beta * margin)) over windows with a preference; its slope pulls towards the better.

    Args:
        change: of the velocity against the frozen one, [B, H, A].
        better: the preferred chunk minus the other, [B, H, A].
        counted: rows that count, [B, H]; windows without a difference there do not.
        beta: at least 0.

    >>> round(float(preference_loss(jnp.zeros((1, 2, 3)), jnp.ones((1, 2, 3)), jnp.ones((1, 2)), 1.0)), 4)
    0.6931
    """
    rows = counted[..., None]
    margin = 2 * (change * better * rows).sum(axis=(1, 2))
    differs = (jnp.abs(better) * rows).sum(axis=(1, 2)) > 0
    losses = jax.nn.softplus(-beta * margin) * differs
    return losses.sum() / jnp.maximum(differs.sum(), 1)


def _rows_of(chunks: jax.Array, rows: jax.Array) -> jax.Array:
    """The rows [B, H] of chunks [B, H, A], counted around."""
    return jnp.take_along_axis(chunks, rows[:, :, None] % chunks.shape[1], axis=1)
