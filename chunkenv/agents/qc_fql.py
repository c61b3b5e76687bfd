"""QC-FQL: flow Q-learning over chunks (Li, Zhou and Levine 2025, arXiv 2507.07969; FQL: Park et al. 2025, 2502.02538).

A one-step policy follows the critics' gradient, and is held near the behaviour by imitating the flow's chunk for the
same noise: `loss of the policy = alpha * |policy(z) - flow(z)|^2 - mean Q(policy(z))`. The target takes its chunk, so
it costs a fraction of best-of-N. With `chunk=1` it is FQL, and with a longer `backup` FQL-n, whose return is
uncorrected.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chunkenv.agents.common.critics import critic_values, fill_unplayed, initial_critics, mean_counted, window_actions
from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
from chunkenv.agents.nets.behaviour_flow import behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.agents.nets.one_step_flow import initial_one_step, one_step_chunks, one_step_imitation
from chunkenv.data.replay_buffer import Batch
from chunkenv.utils.checks import real_number, whole_number


@dataclass(frozen=True, kw_only=True)
class QCFQLSettings(AgentSettings):
    """Everything that an agent is made by.

    Attributes:
        alpha: how strongly the policy is held near the behaviour.
        steps: of the flow, from noise to a chunk.

    Raises:
        ArgumentError: for an invalid value.
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

    name = "qc-fql"
    settings_class = QCFQLSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: QCFQLSettings) -> QCFQL:
        """An agent that has not learned anything."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        for_flow, for_critics, for_policy = jax.random.split(jax.random.key(seed), 3)
        params = {
            "flow": initial_behaviour(for_flow, sizes, horizons, settings.hidden),
            "policy": initial_one_step(for_policy, sizes, horizons, settings.hidden),
            "critics": initial_critics(for_critics, sizes, settings),
        }
        return cls.from_params(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """A chunk of the policy for each observation; arguments and result as for `Learner.sample_chunk`."""
        horizons = self.settings.horizons
        noise = jax.random.normal(key, (len(observations), 1, horizons.prediction_horizon, self.sizes.action))
        chunks = one_step_chunks(self.params["policy"], observations, noise, prefix, lengths, horizons)
        return chunks[:, 0].clip(-1, 1)

    def loss(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> tuple[jax.Array, Info]:
        """The critic's, the flow's and the policy's; arguments and result as for `Learner.loss`."""
        for_filling, for_target, for_flow, for_policy = jax.random.split(key, 4)
        horizons = self.settings.horizons
        chunks = window_actions(batch, for_filling)[:, : horizons.prediction_horizon]
        targets = batch.rewards + batch.discounts * self._next_values(batch, for_target)
        q = critic_values(params["critics"], batch.observations, chunks[:, horizons.seen])
        known = batch.known[:, : horizons.prediction_horizon]
        distillation, gain = self._policy_losses(params["policy"], batch.observations, chunks, for_policy)
        losses = {
            "critic_loss": mean_counted((q - targets) ** 2, batch.counted),
            "flow_loss": behaviour_loss(params["flow"], batch.observations, chunks, known, horizons, for_flow),
            "policy_loss": self.settings.alpha * distillation - gain,
        }
        info = {**losses, "distillation_loss": distillation, "value": q.mean(), "target": targets.mean()}
        return sum(losses.values(), jnp.zeros(())), info

    def _next_values(self, batch: Batch[jax.Array], key: jax.Array) -> jax.Array:
        """Of the states that windows lead to, by the target critics: float32[B]."""
        for_filling, for_noise = jax.random.split(key)
        prefix = fill_unplayed(batch.prefix, batch.prefix_known, for_filling)
        horizons = self.settings.horizons
        chunks = self.sample_chunk(batch.next_observations, prefix, jnp.full(len(prefix), horizons.delay), for_noise)
        return critic_values(self.target, batch.next_observations, chunks[:, horizons.seen]).mean(axis=0)

    def _policy_losses(
        self, policy: Layers, observations: jax.Array, chunks: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """How far the policy is from the behaviour, and the critics' mean value of its chunks."""
        horizons, flow = self.settings.horizons, self.params["flow"]
        distillation, found = one_step_imitation(policy, flow, observations, chunks, horizons, self.settings.steps, key)
        q = critic_values(self.params["critics"], observations, found.clip(-1, 1)[:, horizons.seen])
        return distillation, q.mean()
