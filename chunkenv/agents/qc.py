"""Q-chunking: best of N chunks that the behaviour could have done (Li, Zhou and Levine 2025, arXiv 2507.07969).

A flow imitates the chunks of the data. To act, N of them are drawn, and the one with the highest mean value over the
critics is taken; so does the critic's target:

    target = sum over i < n of gamma^i r_{t+i} + gamma^n Q_target(o_{t+n}, best of N chunks there)

With `chunk=1` it is best-of-N over single actions (BFN; with N = 4 in that paper), and with a longer `backup` BFN-n,
whose return is uncorrected. With a delay the chunk goes on from the actions that are decided already: see `Horizons`.

Most of an update is the target: N chunks of every window in ten steps of the flow. `target_sampler`, `target_steps` and
`target_dtype` make that faster at the price of exactness: docs/howto/qc.md.
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
from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.one_step_flow import initial_one_step, one_step_chunks, one_step_imitation
from chunkenv.data.replay_buffer import Batch
from chunkenv.utils.checks import one_of, whole_number

TARGET_SAMPLERS = ("flow", "distilled")
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class QCSettings(AgentSettings):
    """Everything that an agent is made by.

    Attributes:
        samples: chunks to choose from, N.
        steps: of the flow, from noise to a chunk.
        target_sampler: what draws the N chunks of the target: the "flow" itself, or "distilled", a network that learned
            to do in one step what the flow does.
        target_steps: of the flow in the target; fewer are faster. As many as `steps` if None.
        target_dtype: what factors are rounded to where the target's chunks are drawn: "float32" is exact, "bfloat16"
            nearly so, and nearly twice as fast on a processor that multiplies such numbers.

    Raises:
        ArgumentError: for an invalid value.
    """

    samples: int = 32
    steps: int = 10
    target_sampler: str = "flow"
    target_steps: int | None = None
    target_dtype: str = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number("samples", self.samples, at_least=1)
        whole_number("steps", self.steps, at_least=1)
        whole_number("target_steps", self.steps if self.target_steps is None else self.target_steps, at_least=1)
        one_of("target_sampler", self.target_sampler, TARGET_SAMPLERS)
        one_of("target_dtype", self.target_dtype, DTYPES)


@as_tree
@dataclass(frozen=True)
class QC(Learner):
    """An agent as a value: `update` returns another.

    Attributes:
        params: the networks: "flow", "critics" and, if the target uses it, "distilled".
        target: the critics that targets are made with.
    """

    settings: QCSettings

    name = "qc"
    settings_class = QCSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: QCSettings) -> QC:
        """An agent that has not learned anything."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        for_flow, for_critics, for_distilled = jax.random.split(jax.random.key(seed), 3)
        params = {
            "flow": initial_behaviour(for_flow, sizes, horizons, settings.hidden),
            "critics": initial_critics(for_critics, sizes, settings),
        }
        if settings.target_sampler == "distilled":
            params["distilled"] = initial_one_step(for_distilled, sizes, horizons, settings.hidden)
        return cls.from_params(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """The best of N chunks for each observation; arguments and result as for `Learner.sample_chunk`."""
        noise, settings = self._noise(key, len(observations)), self.settings
        chunks = behaviour_chunks(
            self.params["flow"], observations, noise, prefix, lengths, settings.horizons, settings.steps
        )
        return self._best(chunks, observations)

    def loss(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> tuple[jax.Array, Info]:
        """The critic's, the flow's and the distilled sampler's; arguments and result as for `Learner.loss`."""
        for_filling, for_target, for_flow, for_distilled = jax.random.split(key, 4)
        horizons = self.settings.horizons
        chunks = window_actions(batch, for_filling)[:, : horizons.prediction_horizon]
        targets = batch.rewards + batch.discounts * self._next_values(batch, for_target)
        q = critic_values(params["critics"], batch.observations, chunks[:, horizons.seen])
        known = batch.known[:, : horizons.prediction_horizon]
        losses = {
            "critic_loss": mean_counted((q - targets) ** 2, batch.counted),
            "flow_loss": behaviour_loss(params["flow"], batch.observations, chunks, known, horizons, for_flow),
        }
        if "distilled" in params:
            losses["distillation_loss"] = self._distillation(params, batch, for_distilled)
        return sum(losses.values(), jnp.zeros(())), {**losses, "value": q.mean(), "target": targets.mean()}

    def _next_values(self, batch: Batch[jax.Array], key: jax.Array) -> jax.Array:
        """Of the states that windows lead to, by the target critics: float32[B]."""
        for_filling, for_noise = jax.random.split(key)
        prefix = fill_unplayed(batch.prefix, batch.prefix_known, for_filling)
        lengths = jnp.full(len(prefix), self.settings.horizons.delay)
        chunks = self._candidates(batch.next_observations, self._noise(for_noise, len(prefix)), prefix, lengths)
        best = self._best(chunks, batch.next_observations)
        return critic_values(self.target, batch.next_observations, best[:, self.settings.horizons.seen]).mean(axis=0)

    def _candidates(
        self, observations: jax.Array, noise: jax.Array, prefix: jax.Array, lengths: jax.Array
    ) -> jax.Array:
        """The N chunks of the target."""
        settings, params = self.settings, self.params
        dtype = jnp.dtype(settings.target_dtype)
        if settings.target_sampler == "distilled":
            return one_step_chunks(
                params["distilled"], observations, noise, prefix, lengths, settings.horizons, dtype
            ).clip(-1, 1)
        steps = settings.target_steps or settings.steps
        return behaviour_chunks(params["flow"], observations, noise, prefix, lengths, settings.horizons, steps, dtype)

    def _distillation(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> jax.Array:
        flow, settings = self.params["flow"], self.settings
        return one_step_imitation(
            params["distilled"], flow, batch.observations, batch.actions, settings.horizons, settings.steps, key
        )[0]

    def _best(self, chunks: jax.Array, observations: jax.Array) -> jax.Array:
        """Of N chunks [B, N, H, A] the one that the critics value most, [B, H, A]."""
        return best_chunks(self.params["critics"], observations, chunks, self.settings.horizons.seen)

    def _noise(self, key: jax.Array, count: int) -> jax.Array:
        horizon = self.settings.horizons.prediction_horizon
        return jax.random.normal(key, (count, self.settings.samples, horizon, self.sizes.action))
