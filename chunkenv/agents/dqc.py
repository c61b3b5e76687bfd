"""Decoupled Q-chunking: critics of long chunks, policies of short ones (Li et al. 2025, arXiv 2512.10926).

Three lengths are three settings: the critic's chunk (`backup`, n = 25 there), the policy's (`chunk`, h = 1 or 5), and
how many of its actions are executed (the player chooses, up to h). Nothing is sampled for a target:

    Q_n(o, a_t .. a_{t+n-1}) <- rewards + gamma^n V(o_{t+n})       the chunk critic
    Q_h(o, a_t .. a_{t+h-1}) <- Q_n(o, a_t .. a_{t+n-1})           what the best goings-on make of a short chunk: an
                                                                   expectile above .5 leans to them (distillation)
    V(o)                     <- Q_h(o, a_t .. a_{t+h-1})           what the best short chunks make of a state: a
                                                                   quantile or expectile above .5 (implicit backup)

and the policy takes the best of N chunks of an imitating flow, by Q_h. The paper learns from rewards of 0 and 1, with
logits; here values are regressed as they are, so any reward will do.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chunkenv.agents.common.critics import (
    best_chunks,
    critic_values,
    fill_unplayed,
    initial_critics,
    mean_counted,
    window_actions,
)
from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
from chunkenv.agents.common.values import expectile_errors, quantile_errors
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import Batch
from chunkenv.utils.checks import one_of, real_number, whole_number

BACKUPS = ("quantile", "expectile")


@dataclass(frozen=True, kw_only=True)
class DQCSettings(AgentSettings):
    """Everything that an agent is made by; its horizons have a `backup` of the critic's chunk, 25 ticks in the paper.

    Attributes:
        distillation: expectile of the chunk critic that the short one learns; .5 is the mean.
        implicit: what of the short critic a state's value is: "quantile" or "expectile".
        optimism: which one.
        samples: chunks to choose from, N.
        steps: of the flow, from noise to a chunk.

    Raises:
        ArgumentError: for an invalid value.
    """

    distillation: float = 0.5
    implicit: str = "quantile"
    optimism: float = 0.9
    samples: int = 32
    steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        real_number("distillation", self.distillation, at_least=0.0, at_most=1.0)
        real_number("optimism", self.optimism, at_least=0.0, at_most=1.0)
        one_of("implicit", self.implicit, BACKUPS)
        whole_number("samples", self.samples, at_least=1)
        whole_number("steps", self.steps, at_least=1)


@as_tree
@dataclass(frozen=True)
class DQC(Learner):
    """An agent as a value: `update` returns another.

    Attributes:
        params: the networks: "flow", "critics" (of the policy's chunk), "chunk_critics" and "value".
        target: the critics of the policy's chunk that values are made with.
    """

    settings: DQCSettings

    name = "dqc"
    settings_class = DQCSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: DQCSettings) -> DQC:
        """An agent that has not learned anything."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        keys = jax.random.split(jax.random.key(seed), 4)
        state = observation_size + horizons.seen_prefix * action_size
        params = {
            "flow": initial_behaviour(keys[0], sizes, horizons, settings.hidden),
            "critics": initial_critics(keys[1], sizes, settings),
            "chunk_critics": initial_critics(keys[2], sizes, settings, horizons.rows - horizons.seen.start),
            "value": mlp.initial(keys[3], (state, *settings.hidden, 1), settings.norm),
        }
        return cls.from_params(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """The best of N chunks by the short critics; arguments and result as for `Learner.sample_chunk`."""
        settings, horizons = self.settings, self.settings.horizons
        shape = (len(observations), settings.samples, horizons.prediction_horizon, self.sizes.action)
        noise = jax.random.normal(key, shape)
        chunks = behaviour_chunks(self.params["flow"], observations, noise, prefix, lengths, horizons, settings.steps)
        return best_chunks(self.params["critics"], observations, chunks, horizons.seen)

    def loss(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> tuple[jax.Array, Info]:
        """Both critics', the value's and the flow's; arguments and result as for `Learner.loss`."""
        for_filling, for_prefix, for_flow = jax.random.split(key, 3)
        settings, horizons, seen = self.settings, self.settings.horizons, self.settings.horizons.seen
        rows = window_actions(batch, for_filling)
        chunks, long = rows[:, seen], rows[:, seen.start :]
        prefix = fill_unplayed(batch.prefix, batch.prefix_known, for_prefix)
        later = state_value(self.params["value"], batch.next_observations, prefix, horizons)
        targets = batch.rewards + batch.discounts * later
        far = critic_values(params["chunk_critics"], batch.observations, long)
        near = critic_values(params["critics"], batch.observations, chunks)
        state = state_value(params["value"], batch.observations, rows, horizons)
        taught = critic_values(self.params["chunk_critics"], batch.observations, long)
        worth = critic_values(self.target, batch.observations, chunks).mean(axis=0)
        known = batch.known[:, : horizons.prediction_horizon]
        implicit = {"quantile": quantile_errors, "expectile": expectile_errors}[settings.implicit]
        losses = {
            "chunk_critic_loss": mean_counted((far - targets) ** 2, batch.counted),
            "critic_loss": mean_counted(expectile_errors(taught - near, settings.distillation), batch.counted),
            "value_loss": mean_counted(implicit(worth - state, settings.optimism)[None], batch.counted),
            "flow_loss": behaviour_loss(
                params["flow"], batch.observations, rows[:, : horizons.prediction_horizon], known, horizons, for_flow
            ),
        }
        return sum(losses.values(), jnp.zeros(())), {**losses, "value": state.mean(), "target": targets.mean()}


def state_value(layers: Layers, observations: jax.Array, rows: jax.Array, horizons: Horizons) -> jax.Array:
    """The value of states, float32[B]: of an observation and, if it is seen, the prefix that `rows` begin with."""
    prefix = rows[:, : horizons.seen_prefix].reshape(len(rows), -1)
    return mlp.apply(layers, observations, prefix)[:, 0]
