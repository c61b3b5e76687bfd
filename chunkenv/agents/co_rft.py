"""CO-RFT: imitation, then offline reinforcement learning with chunks, from a few demonstrations (arXiv 2508.02219).

Critics value every beginning of a chunk (`causal_critics`), and each learns from as many rewards as it has rows:

    Q_j(o_t, a_t .. a_{t+j-1}) <- sum over i < j of gamma^i r_{t+i} + gamma^j min over critics of Q_target(o_{t+j}, pi)

They are held down where the policy goes and the data do not, but never below the return that followed in the data
(Cal-QL, Nakamoto et al. 2023, arXiv 2303.05479):

    c * (max(Q_j(o_t, pi), return_t) - Q_j(o_t, a_t .. a_{t+j-1}))

The policy is one of three. It is deterministic, and held near the data (TD3+BC, Fujimoto and Gu 2021, arXiv
2106.06860): `loss = |pi - a|^2 - alpha * Q(pi) / mean |Q|`; or the best of N chunks of a flow; or the best of N of a
network that does in one step what the flow does. Targets draw from that network in both of these.

No code of the paper is known. Its policy is a large model of vision and language; here it is small, and what the paper
leaves open is as in the works named above. With a delay the chunk goes on from the prefix: see `Horizons`.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chunkenv.agents.common.causal_critics import initial_causal_critics, values_by_length
from chunkenv.agents.common.critics import best_chunks, critic_values, fill_unplayed, mean_counted
from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
from chunkenv.agents.nets.behaviour_flow import (
    behaviour_chunks,
    behaviour_loss,
    draw_prefix_lengths,
    initial_behaviour,
)
from chunkenv.agents.nets.chunk_flow import Sizes, all_rows, clean_rows
from chunkenv.agents.nets.mlp import Layers
from chunkenv.agents.nets.one_step_flow import initial_one_step, one_step_chunks, one_step_imitation
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.data.windows.every_length import EveryLength, LengthBatch
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number, true_or_false, whole_number

ACTORS = ("td3-bc", "flow", "distilled")


@dataclass(frozen=True, kw_only=True)
class CORFTSettings(AgentSettings):
    """Everything that an agent is made by; its horizons have a discount below 1, and the chunk is the backup.

    Attributes:
        actor: what acts: "td3-bc", "flow" or "distilled".
        imitation: updates that imitate only; as many as the training has make an agent that does nothing else.
        warm_up: updates after these in which the critics learn, and the policy still imitates only.
        lengths: rows that the critics value, behind the prefix; 1 for a critic of one step, all that an inference
            decides if None.
        conservatism: c, in units of the mean absolute return of a batch; 0 for none.
        calibrated: whether values are held down no lower than the return in the data; Cal-QL, instead of CQL.
        alpha: of "td3-bc", how much a value counts against imitation.
        samples: of the others, chunks to choose from, N.
        steps: of the flow, from noise to a chunk.

    Raises:
        ArgumentError: for an invalid value.
    """

    actor: str = "td3-bc"
    imitation: int = 5000
    warm_up: int = 2000
    lengths: int | None = None
    conservatism: float = 0.1
    calibrated: bool = True
    alpha: float = 2.5
    samples: int = 8
    steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("actor", self.actor, ACTORS)
        for name, least in (("imitation", 0), ("warm_up", 0), ("samples", 1), ("steps", 1)):
            whole_number(name, getattr(self, name), at_least=least)
        for name in ("conservatism", "alpha"):
            real_number(name, getattr(self, name), at_least=0.0)
        true_or_false("calibrated", self.calibrated)
        if not 1 <= whole_number("lengths", self.valued, at_least=1) <= self.horizons.chunk:
            raise ArgumentError(f"lengths={self.lengths} is more than chunk={self.horizons.chunk}; give at most that.")
        if self.horizons.backup != self.horizons.chunk:
            raise ArgumentError(
                f"backup={self.horizons.backup} is not chunk={self.horizons.chunk}, and co-rft learns from every "
                "length up to the chunk; leave backup out."
            )
        if self.horizons.discount == 1:
            raise ArgumentError("discount=1.0 gives what never ends no finite return; give less than 1.")

    @property
    def valued(self) -> int:
        """Rows that the critics value, behind the prefix."""
        return self.horizons.chunk if self.lengths is None else self.lengths


@as_tree
@dataclass(frozen=True)
class CORFT(Learner):
    """An agent as a value: `update` returns another.

    Attributes:
        params: the networks: "critics", "policy" (deterministic, or what the flow was distilled into) and "flow".
        target: the critics that targets are made with.
    """

    settings: CORFTSettings

    name = "co-rft"
    settings_class = CORFTSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: CORFTSettings) -> CORFT:
        """An agent that has not learned anything."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        for_critics, for_policy, for_flow = jax.random.split(jax.random.key(seed), 3)
        params = {
            "critics": initial_causal_critics(for_critics, sizes, settings, settings.valued),
            "policy": initial_one_step(for_policy, sizes, horizons, settings.hidden),
        }
        if settings.actor != "td3-bc":
            params["flow"] = initial_behaviour(for_flow, sizes, horizons, settings.hidden)
        return cls.from_params(params, seed, sizes, settings)

    @property
    def valued_rows(self) -> slice:
        """As `Learner.valued_rows`: the prefix, if it is seen, and the rows that are valued."""
        horizons = self.settings.horizons
        return slice(horizons.seen.start, horizons.delay + self.settings.valued)

    def experience(self, replay: ReplayBuffer) -> EveryLength:
        """As `Learner.experience`: windows that tell what every number of their ticks leads to.

        Raises:
            ArgumentError: a window is longer than every episode.
        """
        return EveryLength(replay, self.settings.horizons)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """A chunk of the policy for each observation; arguments and result as for `Learner.sample_chunk`."""
        if self.settings.actor != "flow":
            return self._decide(observations, prefix, lengths, key)
        noise, settings = self._noise(key, len(observations)), self.settings
        chunks = behaviour_chunks(
            self.params["flow"], observations, noise, prefix, lengths, settings.horizons, settings.steps
        )
        return self._best(observations, chunks)

    def loss(  # pyright: ignore[reportIncompatibleMethodOverride] (its windows tell of every length)
        self, params: Params, batch: LengthBatch[jax.Array], key: jax.Array
    ) -> tuple[jax.Array, Info]:
        """The critics' and the policy's, after the updates that imitate; otherwise as `Learner.loss`."""
        for_filling, for_critic, for_policy = jax.random.split(key, 3)
        chunks = fill_unplayed(batch.actions, batch.known, for_filling)
        imitates = self.updates < self.settings.imitation
        critic_loss, info = jax.lax.cond(
            imitates, self._no_critic_loss, self._critic_loss, params["critics"], batch, chunks, for_critic
        )
        losses = {"critic_loss": critic_loss, **self._policy_losses(params, batch, chunks, for_policy)}
        return sum(losses.values(), jnp.zeros(())), {**losses, **info, "data_return": batch.returns.mean()}

    def _no_critic_loss(self, *_: object) -> tuple[jax.Array, Info]:
        return jnp.zeros(()), {name: jnp.zeros(()) for name in ("td_loss", "value", "policy_value", "target")}

    def _critic_loss(
        self, critics: Layers, batch: LengthBatch[jax.Array], chunks: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, Info]:
        for_target, for_policy = jax.random.split(key)
        settings, horizons = self.settings, self.settings.horizons
        counted = batch.counted[:, : settings.valued]
        whole = jnp.full(len(chunks), horizons.delay)
        own = self._decide(batch.observations, chunks[:, : horizons.delay], whole, for_policy)
        q, other = (
            values_by_length(critics, batch.observations, rows[:, self.valued_rows], settings.valued)
            for rows in (chunks, own)
        )
        targets = self._targets(batch, chunks, for_target)
        floor = batch.returns[:, None] if settings.calibrated else -jnp.inf
        unit = settings.conservatism * jnp.abs(batch.returns).mean()
        td_loss = mean_counted((q - targets) ** 2, counted)
        loss = td_loss + unit * mean_counted(jnp.maximum(other, floor) - q, counted)
        return loss, {"td_loss": td_loss, "value": q.mean(), "policy_value": other.mean(), "target": targets.mean()}

    def _targets(self, batch: LengthBatch[jax.Array], chunks: jax.Array, key: jax.Array) -> jax.Array:
        """For each length, float32[B, lengths]: the prefix of what follows are the rows behind it."""
        lengths, delay = self.settings.valued, self.settings.horizons.delay
        later = batch.later[:, :lengths].reshape(-1, self.sizes.observation)
        behind = jnp.arange(1, lengths + 1)[:, None] + jnp.arange(delay)
        prefix = chunks[:, behind].reshape(len(later), delay, self.sizes.action)
        decided = self._decide(later, prefix, jnp.full(len(later), delay), key)
        values = critic_values(self.target, later, decided[:, self.valued_rows]).min(axis=0)
        return batch.rewards[:, :lengths] + batch.discounts[:, :lengths] * values.reshape(-1, lengths)

    def _policy_losses(self, params: Params, batch: LengthBatch[jax.Array], chunks: jax.Array, key: jax.Array) -> Info:
        settings, horizons, observations = self.settings, self.settings.horizons, batch.observations
        if settings.actor == "td3-bc":
            return self._td3_bc(params["policy"], batch, chunks, key)
        for_flow, for_distilled = jax.random.split(key)
        return {
            "flow_loss": behaviour_loss(params["flow"], observations, chunks, batch.known, horizons, for_flow),
            "distillation_loss": one_step_imitation(
                params["policy"], self.params["flow"], observations, chunks, horizons, settings.steps, for_distilled
            )[0],
        }

    def _td3_bc(self, policy: Layers, batch: LengthBatch[jax.Array], chunks: jax.Array, key: jax.Array) -> Info:
        horizons = self.settings.horizons
        lengths = draw_prefix_lengths(key, len(chunks), horizons)
        found = self._deterministic(policy, batch.observations, chunks[:, : horizons.seen_prefix], lengths)
        clean = all_rows(clean_rows(lengths, horizons.seen_prefix), chunks.shape[1])
        q = critic_values(self.params["critics"], batch.observations, found.clip(-1, 1)[:, self.valued_rows]).mean(
            axis=0
        )
        gain = self.settings.alpha * q.mean() / jax.lax.stop_gradient(jnp.abs(q).mean() + 1e-6)
        return {
            "imitation_loss": mean_counted(((found - chunks) ** 2).mean(axis=2)[None], batch.known * (1 - clean)),
            "actor_loss": -gain * self._critics_count,
        }

    @property
    def _critics_count(self) -> jax.Array:
        """Whether critics have a say in what is done: not before they have warmed up."""
        return self.updates >= self.settings.imitation + self.settings.warm_up

    def _decide(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """What the policy does, or what the flow was distilled into: [B, H, A] within [-1, 1]."""
        policy, horizons = self.params["policy"], self.settings.horizons
        if self.settings.actor == "td3-bc":
            return self._deterministic(policy, observations, prefix, lengths).clip(-1, 1)
        noise = self._noise(key, len(observations))
        chunks = one_step_chunks(policy, observations, noise, prefix, lengths, horizons)
        return self._best(observations, chunks.clip(-1, 1))

    def _deterministic(
        self, policy: Layers, observations: jax.Array, prefix: jax.Array, lengths: jax.Array
    ) -> jax.Array:
        """The chunks of the policy without noise, [B, H, A], not clipped."""
        horizons = self.settings.horizons
        still = jnp.zeros((len(observations), 1, horizons.prediction_horizon, self.sizes.action))
        return one_step_chunks(policy, observations, still, prefix, lengths, horizons)[:, 0]

    def _best(self, observations: jax.Array, chunks: jax.Array) -> jax.Array:
        """Of N chunks [B, N, H, A] the most valued one; the first until the critics count."""
        best = best_chunks(self.params["critics"], observations, chunks, self.valued_rows)
        return jnp.where(self._critics_count, best, chunks[:, 0])

    def _noise(self, key: jax.Array, count: int) -> jax.Array:
        horizon = self.settings.horizons.prediction_horizon
        return jax.random.normal(key, (count, self.settings.samples, horizon, self.sizes.action))
