"""RLPD: soft actor-critic with offline data in half of each batch (Ball et al. 2023, arXiv 2302.02948), over chunks.

The actor is a Gaussian squashed by tanh (Haarnoja et al. 2018, arXiv 1812.05905) over all actions of a chunk; there are
ten critics with layer norm. With `chunk=1` it is RLPD; over chunks it is the RLPD-AC of Q-chunking (Li, Zhou and
Levine 2025, arXiv 2507.07969), and with `imitation` above 0 its QC-RLPD, whose actor also imitates the batch. It has no
offline phase: it learns as it plays.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chunkenv.agents.common.critics import critic_values, fill_unplayed, initial_critics, mean_counted, window_actions
from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import draw_prefix_lengths
from chunkenv.agents.nets.chunk_flow import Sizes, all_rows, clean_rows, with_prefix
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.replay_buffer import Batch
from chunkenv.utils.checks import real_number

LOG_STD = (-20.0, 2.0)
ACTIVATION = "relu"
EDGE = 1 - 1e-5  # tanh never reaches 1: imitated actions must lie within


@dataclass(frozen=True, kw_only=True)
class RLPDSettings(AgentSettings):
    """Everything that an agent is made by.

    Attributes:
        entropy: the target, per free number of an action.
        temperature: to begin with.
        imitation: weight of the log-likelihood of the batch's chunks in the actor's loss; .01 in QC-RLPD.

    Raises:
        ArgumentError: for an invalid value.
    """

    critics: int = 10
    symmetric_sampling: bool = True
    entropy: float = -0.5
    temperature: float = 1.0
    imitation: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        real_number("entropy", self.entropy)
        real_number("temperature", self.temperature, at_least=1e-8)
        real_number("imitation", self.imitation, at_least=0.0)


@as_tree
@dataclass(frozen=True)
class RLPD(Learner):
    """An agent as a value: `update` returns another.

    Attributes:
        params: the networks "actor" and "critics", and "temperature", the logarithm of the entropy's weight.
        target: the critics that targets are made with.
    """

    settings: RLPDSettings

    name = "rlpd"
    settings_class = RLPDSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: RLPDSettings) -> RLPD:
        """An agent that has not learned anything."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        for_actor, for_critics = jax.random.split(jax.random.key(seed))
        numbers = horizons.prediction_horizon * action_size
        inputs = observation_size + horizons.seen_prefix * (1 + action_size)
        params = {
            "actor": mlp.initial(for_actor, (inputs, *settings.hidden, 2 * numbers)),
            "critics": initial_critics(for_critics, sizes, settings),
            "temperature": jnp.log(jnp.float32(settings.temperature)),
        }
        return cls.from_params(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """A draw of the actor for each observation; arguments and result as for `Learner.sample_chunk`."""
        return self._draw(self.params["actor"], observations, prefix, lengths, key)[0]

    def loss(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> tuple[jax.Array, Info]:
        """The critic's, the actor's and the temperature's; arguments and result as for `Learner.loss`."""
        for_filling, for_target, for_actor = jax.random.split(key, 3)
        horizons = self.settings.horizons
        chunks = window_actions(batch, for_filling)[:, : horizons.prediction_horizon]
        targets = batch.rewards + batch.discounts * self._next_values(batch, for_target)
        q = critic_values(params["critics"], batch.observations, chunks[:, horizons.seen], ACTIVATION)
        losses = {
            "critic_loss": mean_counted((q - targets) ** 2, batch.counted),
            **self._actor_losses(params, batch, chunks, for_actor),
        }
        info = {**losses, "value": q.mean(), "target": targets.mean(), "temperature": jnp.exp(params["temperature"])}
        return sum(losses.values(), jnp.zeros(())), info

    def _next_values(self, batch: Batch[jax.Array], key: jax.Array) -> jax.Array:
        """Of the states that windows lead to, by the target critics: float32[B]; without the entropy, as in RLPD."""
        for_filling, for_noise = jax.random.split(key)
        prefix = fill_unplayed(batch.prefix, batch.prefix_known, for_filling)
        horizons = self.settings.horizons
        chunks = self.sample_chunk(batch.next_observations, prefix, jnp.full(len(prefix), horizons.delay), for_noise)
        return critic_values(self.target, batch.next_observations, chunks[:, horizons.seen], ACTIVATION).mean(axis=0)

    def _actor_losses(self, params: Params, batch: Batch[jax.Array], chunks: jax.Array, key: jax.Array) -> Info:
        settings, horizons = self.settings, self.settings.horizons
        for_length, for_noise = jax.random.split(key)
        lengths = draw_prefix_lengths(for_length, len(chunks), horizons)
        prefix = chunks[:, : horizons.seen_prefix]
        drawn, density, free = self._draw(params["actor"], batch.observations, prefix, lengths, for_noise)
        q = critic_values(self.params["critics"], batch.observations, drawn[:, horizons.seen], ACTIVATION).mean(axis=0)
        missing = -jax.lax.stop_gradient(density) - settings.entropy * free
        losses = {
            "actor_loss": (density * jnp.exp(self.params["temperature"]) - q).mean(),
            "temperature_loss": (jnp.exp(params["temperature"]) * missing).mean(),
        }
        if settings.imitation:
            mean, spread, clean = self._gaussian(params["actor"], batch.observations, prefix, lengths)
            counted = batch.known[:, : horizons.prediction_horizon] * (1 - all_rows(clean, horizons.prediction_horizon))
            before = jnp.arctanh(chunks.clip(-EDGE, EDGE))
            likelihood = (log_density(before, mean, spread) * counted).sum(axis=1).mean()
            losses["imitation_loss"] = -settings.imitation * likelihood
        return losses

    def _draw(
        self, actor: Layers, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Chunks [B, H, A], the log-density of their free rows [B], and how many numbers are free [B]."""
        mean, spread, clean = self._gaussian(actor, observations, prefix, lengths)
        before = mean + spread * jax.random.normal(key, mean.shape)
        free = 1 - all_rows(clean, mean.shape[1])
        density = (log_density(before, mean, spread) * free).sum(axis=1)
        return with_prefix(jnp.tanh(before)[:, None], prefix, clean)[:, 0], density, free.sum(axis=1) * mean.shape[2]

    def _gaussian(
        self, actor: Layers, observations: jax.Array, prefix: jax.Array, lengths: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Mean and standard deviation before tanh, [B, H, A], and which rows are clean, [B, d]."""
        horizons = self.settings.horizons
        clean = clean_rows(lengths, horizons.seen_prefix)
        given = prefix[:, : clean.shape[1]] * clean[..., None]
        out = mlp.apply(actor, observations, given.reshape(len(given), -1), clean, activation=ACTIVATION)
        mean, log_std = jnp.split(out.reshape(len(out), horizons.prediction_horizon, -1), 2, axis=2)
        return mean, jnp.exp(log_std.clip(*LOG_STD)), clean


def log_density(before: jax.Array, mean: jax.Array, spread: jax.Array) -> jax.Array:
    """Of tanh(before), where `before` is normal: the sum over a row's numbers, float32[..., H] of [..., H, A].

    log(1 - tanh(x)^2) is 2 (log 2 - x - softplus(-2 x)), which stays finite far out.
    """
    normal = -0.5 * (((before - mean) / spread) ** 2 + jnp.log(2 * jnp.pi)) - jnp.log(spread)
    return (normal - 2 * (jnp.log(2.0) - before - jax.nn.softplus(-2 * before))).sum(axis=-1)
