"""InFOM: intention-conditioned flow occupancy models, on chunks (Zheng et al. 2025, arXiv 2506.08902).

Data that many people collected, each with an intention of their own, teach what states will follow, without any
reward. Few labelled ticks are enough then to value what can be done:

    z ~ encoder(o', a')                      the intention, seen in the next state and the next chunk
    future ~ flow(o, a, z)                   a state to come, k ticks later with probability (1 - gamma) gamma^k
    Q(o, a) <- mean reward(future) / (1 - gamma)   an upper expectile over intentions z ~ N(0, 1)

The flow learns from the states that a chunk passes, and from its own futures of the next chunk (the SARSA flow); see
`chunkenv.data.windows.successors` for the recursion on chunks. With `chunk=1` it is the paper's. Other than there:

- The policy is that of QC-FQL, a one-step policy near a flow that imitates, because the chunks of several intentions
  have no meaningful mean; the paper's is a Gaussian.
- The encoder learns from both terms of the flow's loss, as the bound of the paper has it; `intention_gradient=
  "current"` stops what comes from the futures, as the paper's code does.
- The state that a task ended in lasts for ever, without reward; the paper's data have no ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common.critics import critic_values, fill_unplayed, initial_critics, mean_counted
from chunkenv.agents.common.learner import (
    AgentSettings,
    Info,
    Learner,
    Params,
    gradient_step,
    polyak_step,
    update_key,
)
from chunkenv.agents.common.values import expectile_errors
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.agents.nets.occupancy_flow import (
    Asked,
    StateScales,
    future_errors,
    initial_occupancy,
    passed_errors,
    sample_futures,
)
from chunkenv.agents.nets.one_step_flow import initial_one_step, one_step_chunks, one_step_imitation
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.data.windows.successors import SuccessorReplay, Successors
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number, whole_number

LossFunction = Callable[..., tuple[jax.Array, Info]]

INTENTION_GRADIENTS = ("both", "current")


@dataclass(frozen=True, kw_only=True)
class InFOMSettings(AgentSettings):
    """Everything that an agent is made by.

    Attributes:
        norm: whether critics have layer norms.
        latent: numbers of an intention; 0 for a model without intentions.
        compression: weight of the divergence of intentions from N(0, 1).
        intention_gradient: what the encoder learns from: "both" terms of the flow's loss, or the "current" one.
        futures: states that a value is averaged over.
        expectile: of the values over intentions; .5 is their mean.
        alpha: how strongly the policy is held near the behaviour.
        policy_every: updates of the other networks for one of the policy.
        steps: of both flows, from noise to a chunk or a state.

    Raises:
        ArgumentError: for an invalid value.
    """

    norm: bool = False
    latent: int = 16
    compression: float = 0.01
    intention_gradient: str = "both"
    futures: int = 16
    expectile: float = 0.9
    alpha: float = 100.0
    policy_every: int = 4
    steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number("latent", self.latent, at_least=0)
        for name in ("futures", "policy_every", "steps"):
            whole_number(name, getattr(self, name), at_least=1)
        for name in ("compression", "alpha"):
            real_number(name, getattr(self, name), at_least=0.0)
        real_number("expectile", self.expectile, at_least=0.0, at_most=1.0)
        one_of("intention_gradient", self.intention_gradient, INTENTION_GRADIENTS)
        if not 0 < self.horizons.discount < 1:
            raise ArgumentError(f"discount={self.horizons.discount!r} has no future states; give one between 0 and 1.")


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["params", "target", "opt_state", "seed", "updates", "scales"],
    meta_fields=["sizes", "settings"],
)
@dataclass(frozen=True)
class InFOM(Learner):
    """An agent as a value: `pretrain` and `update` return another.

    Attributes:
        params: the networks: "occupancy", "encoder" (if there are intentions), "reward", "critics", "flow", "policy".
        target: the occupancy flow that its own targets are made with.
        scales: of observations.
    """

    settings: InFOMSettings
    scales: StateScales = field(default_factory=partial(StateScales.unknown, 0))

    name = "infom"
    settings_class = InFOMSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: InFOMSettings) -> InFOM:
        """An agent that has not learned anything; `scaled_to` tells it what observations are like."""
        sizes, horizons, hidden = Sizes(observation_size, action_size), settings.horizons, settings.hidden
        rows = (horizons.seen.stop - horizons.seen.start) * action_size
        keys = jax.random.split(jax.random.key(seed), 6)
        params = {
            "flow": initial_behaviour(keys[0], sizes, horizons, hidden),
            "policy": initial_one_step(keys[1], sizes, horizons, hidden),
            "critics": initial_critics(keys[2], sizes, settings),
            "occupancy": initial_occupancy(keys[3], observation_size, rows, settings.latent, hidden),
            "reward": mlp.initial(keys[4], (observation_size, *hidden, 1), norm=True),
        }
        if settings.latent:
            ends = (observation_size + rows, *hidden, 2 * settings.latent)
            params["encoder"] = mlp.initial(keys[5], ends, norm=True)
        made = cls.from_params(params, seed, sizes, settings)
        return replace(made, target=params["occupancy"], scales=StateScales.unknown(observation_size))

    def scaled_to(self, observations: np.ndarray) -> InFOM:
        """The agent that takes these observations [N, O] for what there is: their mean, spread and range."""
        return replace(self, scales=StateScales.of(observations))

    def experience(self, replay: ReplayBuffer) -> SuccessorReplay:
        """What batches are drawn from: windows of two chunks."""
        return SuccessorReplay(replay)

    def begin_finetuning(self) -> InFOM:
        """The agent whose targets are made with what it has learned by now."""
        return replace(self, target=self.params["occupancy"])

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """A chunk of the policy for each observation; arguments and result as for `Learner.sample_chunk`."""
        horizons = self.settings.horizons
        noise = jax.random.normal(key, (len(observations), 1, horizons.prediction_horizon, self.sizes.action))
        chunks = one_step_chunks(self.params["policy"], observations, noise, prefix, lengths, horizons)
        return chunks[:, 0].clip(-1, 1)

    @jax.jit
    def intentions(self, observations: jax.Array, chunks: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and standard deviation, [B, Z] each, of the intentions seen in observations and chunks [B, H, A]."""
        mean, log_std = self._encode(self.params, self.scales.normalised(observations), self._seen_rows(chunks))
        return mean, jnp.exp(log_std)

    @partial(jax.jit, static_argnames="count")
    def future_observations(
        self, observations: jax.Array, chunks: jax.Array, latents: jax.Array, key: jax.Array, count: int
    ) -> jax.Array:
        """So many observations to come, [B, N, O], of observations, chunks [B, H, A] and intentions [B, Z]."""
        asked = Asked(self.scales.normalised(observations), self._seen_rows(chunks), latents)
        noise = jax.random.normal(key, (len(observations), count, self.sizes.observation))
        futures = sample_futures(self.params["occupancy"], noise, asked, self.settings.steps, self.scales)
        return self.scales.restored(futures)

    @jax.jit
    def pretrain(self, batch: Successors[np.ndarray]) -> tuple[InFOM, Info]:
        """The agent after an update that no reward goes into, and the metrics of the update."""
        return self._take_step(self.pretraining_loss, batch)

    @jax.jit
    def update(self, batch: Successors[np.ndarray]) -> tuple[InFOM, Info]:
        """The agent after an update of all its networks, and the metrics of the update."""
        return self._take_step(self.loss, batch)

    def pretraining_loss(self, params: Params, batch: Successors[jax.Array], key: jax.Array) -> tuple[jax.Array, Info]:
        """That of future states and of imitation; arguments and result as for `Learner.loss`."""
        for_filling, for_futures, for_policy = jax.random.split(key, 3)
        batch = _fill_windows(batch, for_filling)
        policy_loss = self._now_and_then(lambda: self._imitation(params["policy"], batch, for_policy)[0])
        losses = {**self._reward_free_losses(params, batch, for_futures), "policy_loss": policy_loss}
        return sum(losses.values(), jnp.zeros(())), losses

    def loss(  # pyright: ignore[reportIncompatibleMethodOverride] (its windows hold two chunks)
        self, params: Params, batch: Successors[jax.Array], key: jax.Array
    ) -> tuple[jax.Array, Info]:
        """The same with rewards, values, and a policy that follows them; as for `Learner.loss`."""
        for_filling, for_futures, for_policy, for_values = jax.random.split(key, 4)
        batch = _fill_windows(batch, for_filling)
        targets = self._values(batch.observations, self._seen_rows(batch.chunks), for_values)
        q = critic_values(params["critics"], batch.observations, batch.chunks[:, self.settings.horizons.seen])
        losses = {
            **self._reward_free_losses(params, batch, for_futures),
            "reward_loss": self._reward_loss(params["reward"], batch),
            "critic_loss": mean_counted(expectile_errors(targets - q, self.settings.expectile), batch.counted),
            "policy_loss": self._now_and_then(lambda: self._policy_loss(params["policy"], batch, for_policy)),
        }
        return sum(losses.values(), jnp.zeros(())), {**losses, "value": q.mean(), "target": targets.mean()}

    def _take_step(self, loss: LossFunction, batch: Successors[np.ndarray]) -> tuple[InFOM, Info]:
        key = update_key(self.seed, self.updates)
        loss_of_params = partial(loss, batch=jax.tree.map(jnp.asarray, batch), key=key)
        params, opt_state, info = gradient_step(loss_of_params, self.params, self.opt_state, self.settings)
        target = polyak_step(self.target, params["occupancy"], self.settings.polyak)
        return replace(self, params=params, target=target, opt_state=opt_state, updates=self.updates + 1), info

    def _reward_free_losses(self, params: Params, batch: Successors[jax.Array], key: jax.Array) -> Info:
        for_futures, for_flow = jax.random.split(key)
        flow_loss = behaviour_loss(
            params["flow"], batch.observations, batch.chunks, batch.known, self.settings.horizons, for_flow
        )
        return {**self._occupancy_losses(params, batch, for_futures), "flow_loss": flow_loss}

    def _occupancy_losses(self, params: Params, batch: Successors[jax.Array], key: jax.Array) -> Info:
        """The occupancy flow's, of passed and of future states, and the divergence of intentions."""
        for_latent, for_time, for_noise = jax.random.split(key, 3)
        settings, scales, horizons = self.settings, self.scales, self.settings.horizons
        states, after = scales.normalised(batch.observations), scales.normalised(batch.next_observations)
        rows, later = self._seen_rows(batch.chunks), self._seen_rows(batch.next_chunks)
        mean, log_std = self._encode(params, after, later)
        latents = mean + jnp.exp(log_std) * jax.random.normal(for_latent, mean.shape)
        held = jax.lax.stop_gradient(latents)
        learned = latents if settings.intention_gradient == "both" else held
        time, noise = jax.random.uniform(for_time, (len(states), 1)), jax.random.normal(for_noise, (2, *states.shape))
        flow, passed = params["occupancy"], scales.normalised(batch.passed)
        now = passed_errors(flow, Asked(states, rows, latents), passed, time, noise[0])
        asked, next_asked = Asked(states, rows, learned), Asked(after, later, held)
        then = future_errors(flow, self.target, asked, next_asked, batch.ended, time, noise[1], settings.steps, scales)
        divergence = 0.5 * (mean**2 + jnp.exp(2 * log_std) - 1 - 2 * log_std).sum(axis=-1) / max(settings.latent, 1)
        stays = horizons.discount**horizons.chunk
        return {
            "passed_loss": (1 - stays) * _mean_error(now, batch),
            "future_loss": stays * _mean_error(then, batch),
            "divergence_loss": settings.compression * _mean_error(divergence, batch),
        }

    def _values(self, observations: jax.Array, rows: jax.Array, key: jax.Array) -> jax.Array:
        """What is to come of states and chunks, by one intention drawn for each: float32[B]."""
        for_latent, for_noise = jax.random.split(key)
        latents = jax.random.normal(for_latent, (len(rows), self.settings.latent))
        noise = jax.random.normal(for_noise, (len(rows), self.settings.futures, self.sizes.observation))
        asked = Asked(self.scales.normalised(observations), rows, latents)
        futures = sample_futures(self.params["occupancy"], noise, asked, self.settings.steps, self.scales)
        rewards = mlp.in_blocks(
            lambda states: mlp.apply(self.params["reward"], states)[..., 0], self.settings.futures, futures
        )
        return rewards.mean(axis=1) / (1 - self.settings.horizons.discount)

    def _reward_loss(self, layers: Layers, batch: Successors[jax.Array]) -> jax.Array:
        """Of the rewards of states, and of 0 in the state that the task ended in."""
        here, there = (
            mlp.apply(layers, self.scales.normalised(each))[:, 0]
            for each in (batch.observations, batch.next_observations)
        )
        return ((here - batch.rewards) ** 2 + batch.ended * there**2).mean()

    def _policy_loss(self, policy: Layers, batch: Successors[jax.Array], key: jax.Array) -> jax.Array:
        """How far it is from the behaviour, less what the lower critic expects of its chunks."""
        distillation, found = self._imitation(policy, batch, key)
        seen = found.clip(-1, 1)[:, self.settings.horizons.seen]
        q = critic_values(self.params["critics"], batch.observations, seen).min(axis=0)
        return self.settings.alpha * distillation - q.mean()

    def _imitation(self, policy: Layers, batch: Successors[jax.Array], key: jax.Array) -> tuple[jax.Array, jax.Array]:
        flow, settings = self.params["flow"], self.settings
        return one_step_imitation(
            policy, flow, batch.observations, batch.chunks, settings.horizons, settings.steps, key
        )

    def _now_and_then(self, loss: Callable[[], jax.Array]) -> jax.Array:
        """A loss in one of `policy_every` updates, 0 in the others, in which it takes no time."""
        return jax.lax.cond(self.updates % self.settings.policy_every == 0, loss, lambda: jnp.zeros(()))

    def _encode(self, params: Params, states: jax.Array, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and logarithm of the standard deviation of intentions, [B, Z] each."""
        if not self.settings.latent:
            return jnp.zeros((len(states), 0)), jnp.zeros((len(states), 0))
        mean, log_std = jnp.split(mlp.apply(params["encoder"], states, rows), 2, axis=-1)
        return mean, log_std

    def _seen_rows(self, chunks: jax.Array) -> jax.Array:
        """The rows of chunks [B, H, A] that are seen, flat."""
        return chunks[:, self.settings.horizons.seen].reshape(len(chunks), -1)


def _fill_windows(batch: Successors[jax.Array], key: jax.Array) -> Successors[jax.Array]:
    """The batch with the rows of other windows where nothing was played."""
    first, second = jax.random.split(key)
    return batch._replace(
        chunks=fill_unplayed(batch.chunks, batch.known, first),
        next_chunks=fill_unplayed(batch.next_chunks, batch.next_known, second),
    )


def _mean_error(errors: jax.Array, batch: Successors[jax.Array]) -> jax.Array:
    return mean_counted(errors[None], batch.counted)
