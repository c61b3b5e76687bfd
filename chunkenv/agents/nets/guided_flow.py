"""A flow that is told something, and pushed further that way: classifier-free guidance over chunks.

Ho and Salimans 2022 (arXiv 2207.12598); for policies: CFGRL (Frans et al. 2025, arXiv 2505.23458). One network learns
both velocities, because in training what it is told is left out at times:

    velocity = without + weight * (with - without)

A weight of 0 ignores what it is told, 1 is what it learned, and more exaggerates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.chunk_flow import Flow
from chunkenv.agents.nets.goal_input import Seen, join_goal
from chunkenv.agents.nets.mlp import Array


@partial(jax.tree_util.register_dataclass, data_fields=["flow", "null", "told"], meta_fields=["weight", "steps"])
@dataclass(frozen=True)
class GuidedFlow(Flow):
    """A velocity with guidance, as a value; so it can be inpainted, and be given a prefix, as any other.

    Attributes:
        flow: what is guided; its observations end with what it is told, C numbers.
        null: float32[C], what it was told in training where it was told nothing.
        told: float32[C], the same for all observations; None: each observation ends with its own, C - 1 numbers of a
            goal. Behind a goal stands a 1, so that no goal looks like none.
        weight: of the guidance.
        steps: Euler steps.
    """

    flow: Flow
    null: Array
    told: Array | None
    weight: float
    steps: int

    @property
    def evaluations(self) -> int:
        """Of the network, for a velocity: 2, or 1 where a weight of 0 or 1 asks for one of both only."""
        return 1 if self.weight in (0.0, 1.0) else 2

    def velocity(
        self, observations: Seen, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`; with a weight of 1 the conditional velocity itself, to the bit."""
        informed, blind = self._conditions(observations)
        if self.weight == 1.0:
            return self.flow.velocity(informed, chunks, time, prefix_length)
        without = self.flow.velocity(blind, chunks, time, prefix_length)
        if self.weight == 0.0:
            return without
        return without + self.weight * (self.flow.velocity(informed, chunks, time, prefix_length) - without)

    def _conditions(self, observations: Seen) -> tuple[jax.Array, jax.Array]:
        """Observations with what they are told, and with nothing."""
        seen = jnp.asarray(join_goal(observations, jnp.concatenate))
        if self.told is None:
            return with_condition(seen, jnp.ones(1)), with_condition(seen[..., : 1 - len(self.null)], self.null)
        return with_condition(seen, self.told), with_condition(seen, self.null)


def with_condition(observations: jax.Array, condition: Array) -> jax.Array:
    """Observations [..., O] that end with a condition [C], or each with one of its own [..., C]."""
    told = jnp.broadcast_to(condition, (*observations.shape[:-1], condition.shape[-1]))
    return jnp.concatenate([observations, told], axis=-1)
