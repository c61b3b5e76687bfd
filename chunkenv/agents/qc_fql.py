"""QC-FQL: flow Q-learning over chunks (Li, Zhou and Levine 2025, arXiv 2507.07969; FQL: Park et al. 2025, 2502.02538).

A one-step policy follows the critics' gradient, and is held near the behaviour by imitating the flow's chunk for the
same noise: `loss of the policy = alpha * |policy(z) - flow(z)|^2 - mean Q(policy(z))`. The target takes its chunk, so
it costs a fraction of best-of-N. With `chunk=1` it is FQL, and with a longer `backup` FQL-n, whose return is
uncorrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from chunkenv.agents.common.learner import (
    Info,
    Learner,
    Params,
    Settings,
    as_tree,
    filled,
    initial_critics,
    mean_counted,
    values,
    window,
)
from chunkenv.agents.nets import chunk_flow as behaviour
from chunkenv.agents.nets import one_step_flow as one_step
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.replay_buffer import Batch
from chunkenv.utils.checks import real_number, whole_number


@dataclass(frozen=True, kw_only=True)
class QCFQLSettings(Settings):
    """Everything that an agent is made by.

    Attributes:
        alpha: how strongly the policy is held near the behaviour.
        steps: of the flow, from noise to a chunk.

    Raises:
        ArgumentError: for a value that cannot be meant.
    """

    alpha: float = 100.0
    steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        real_number("alpha", self.alpha, at_least=0.0)
        whole_number("steps", self.steps, at_least=1)


@as_tree
@dataclass(frozen=True)
class QCFQL(Learner):
    """An agent as a value: `update` returns another.

    Attributes:
        params: the networks: "flow", "policy" and "critics".
        target: the critics that targets are made with.
    """

    settings: QCFQLSettings

    name: ClassVar[str] = "qc-fql"
    settings_class: ClassVar[type[Any]] = QCFQLSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: QCFQLSettings) -> QCFQL:
        """An agent that has not learned anything."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        for_flow, for_critics, for_policy = jax.random.split(jax.random.key(seed), 3)
        params = {
            "flow": behaviour.initial(for_flow, sizes, horizons, settings.hidden),
            "policy": one_step.initial(for_policy, sizes, horizons, settings.hidden),
            "critics": initial_critics(for_critics, sizes, settings),
        }
        return cls.begun(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """What to do: a chunk of the policy for each observation; arguments and result as for `QC.sample_chunk`."""
        horizons = self.settings.horizons
        noise = jax.random.normal(key, (len(observations), 1, horizons.prediction_horizon, self.sizes.action))
        return one_step.chunks_from(self.params["policy"], observations, noise, prefix, lengths, horizons)[:, 0]

    def loss(self, params: Params, batch: Batch, key: jax.Array) -> tuple[jax.Array, Info]:
        """The critic's, the flow's and the policy's; arguments and result as for `Learner.loss`."""
        for_filling, for_target, for_flow, for_policy = jax.random.split(key, 4)
        horizons = self.settings.horizons
        chunks = window(batch, for_filling)[:, : horizons.prediction_horizon]
        targets = batch.rewards + batch.discounts * self._next_values(batch, for_target)
        q = values(params["critics"], batch.observations, chunks[:, horizons.seen])
        known = batch.known[:, : horizons.prediction_horizon]
        distillation, gain = self._policy_losses(params["policy"], batch.observations, chunks, for_policy)
        losses = {
            "critic_loss": mean_counted((q - targets) ** 2, batch.counted),
            "flow_loss": behaviour.loss(params["flow"], batch.observations, chunks, known, horizons, for_flow),
            "policy_loss": self.settings.alpha * distillation - gain,
        }
        told = {**losses, "distillation_loss": distillation, "value": q.mean(), "target": targets.mean()}
        return sum(losses.values(), jnp.zeros(())), told

    def _next_values(self, batch: Batch, key: jax.Array) -> jax.Array:
        """Of the states that windows lead to, by the target critics: float32[B]."""
        for_filling, for_noise = jax.random.split(key)
        prefix = filled(batch.prefix, batch.prefix_known, for_filling)
        horizons = self.settings.horizons
        chunks = self.sample_chunk(batch.next_observations, prefix, jnp.full(len(prefix), horizons.delay), for_noise)
        return values(self.target, batch.next_observations, chunks[:, horizons.seen]).mean(axis=0)

    def _policy_losses(
        self, policy: Layers, observations: jax.Array, chunks: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """How far the policy is from the behaviour, and what the critics give for what it does."""
        settings = self.settings
        distillation, done = one_step.imitation(policy, self.params["flow"], observations, chunks, settings, key)
        q = values(self.params["critics"], observations, done.clip(-1, 1)[:, settings.horizons.seen])
        return distillation, q.mean()
