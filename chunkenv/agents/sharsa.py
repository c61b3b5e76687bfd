"""SHARSA: two short horizons in place of a long one (Park et al. 2025, arXiv 2506.04168), over chunks.

A high level chooses where to be n ticks later, a low level how to go there:

    sub-goal:   N draws of a flow that imitates what the data reach n ticks later on the way to a goal; the one with
                the highest value is taken
    chunk:      one draw of the flow that imitates the actions, given the sub-goal in place of the goal

Values are probabilities, discounted by the ticks to the goal: 1 where it is reached. They are those of the data's own
behaviour (SARSA): nothing is maximised in a target.

    Q(s, g, w) <- gamma^n if w is the goal's own state, else gamma^n V(s_{t+n}, g)       w: what held n ticks later
    V(s, g)    <- the smaller of two Q(s, g, w)

both by the binary cross-entropy. So a value goes back n ticks an update, and a policy has a sub-goal n ticks ahead:
both horizons are shorter than the task's.

Two settings take it apart. Without `values` a single sub-goal is drawn: hierarchical imitation. Without `hierarchy` the
chunk is drawn for the goal itself: imitation, or, with values, the best of N chunks by an n-step critic of chunks.

An observation is what is seen, followed by the goal. With a delay both flows see the prefix; values do not: what they
compare are places n ticks ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import jax
import jax.numpy as jnp

from chunkenv.agents.common.critics import critic_values, fill_unplayed, initial_critics
from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
from chunkenv.agents.common.values import cross_entropy_errors
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.agents.nets.subgoal_flow import draw_subgoals, initial_subgoal_flow, subgoal_loss
from chunkenv.data.dataset import Dataset
from chunkenv.data.hindsight import GoalForm
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.data.windows.subgoal_windows import SubgoalBatch, SubgoalWindows
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import true_or_false, whole_number


@dataclass(frozen=True, kw_only=True)
class SHARSASettings(AgentSettings):
    """Everything that an agent is made by; `horizons.backup` are the ticks to a sub-goal, n, 25 in the paper.

    Attributes:
        goal_size: numbers in a goal, G; every observation ends with them.
        hierarchy: whether a chunk goes for a sub-goal, not for the goal itself.
        values: whether what is drawn is chosen by its value.
        samples: sub-goals (without hierarchy: chunks) to choose from, N.
        steps: of each flow, from noise to data.

    Raises:
        ArgumentError: for an invalid value.
    """

    goal_size: int = 1
    hierarchy: bool = True
    values: bool = True
    samples: int = 32
    steps: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("goal_size", "samples", "steps"):
            whole_number(name, getattr(self, name), at_least=1)
        for name in ("hierarchy", "values"):
            true_or_false(name, getattr(self, name))

    @property
    def draws(self) -> int:
        """What is drawn to choose from: nothing can be chosen without values."""
        return self.samples if self.values else 1


@as_tree
@dataclass(frozen=True)
class SHARSA(Learner):
    """An agent as a value: `update` takes a `SubgoalBatch` and returns another.

    Attributes:
        params: the networks: "flow", of chunks; with hierarchy "subgoals"; with values "critics" and "value".
        target: the critics that values are made with.
    """

    settings: SHARSASettings

    name = "sharsa"
    settings_class = SHARSASettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: SHARSASettings) -> SHARSA:
        """An agent that has not learned anything; `observation_size` counts the goal, too."""
        sizes, horizons, goal = Sizes(observation_size, action_size), settings.horizons, settings.goal_size
        keys = jax.random.split(jax.random.key(seed), 4)
        params: Params = {"flow": initial_behaviour(keys[0], sizes, horizons, settings.hidden), "critics": []}
        if settings.hierarchy:
            params["subgoals"] = initial_subgoal_flow(keys[1], sizes, goal, horizons, settings.hidden)
        if settings.values:
            chosen, rows = (Sizes(observation_size, goal), 1) if settings.hierarchy else (sizes, None)
            params["critics"] = initial_critics(keys[2], chosen, settings, rows)
            params["value"] = mlp.initial(keys[3], (observation_size, *settings.hidden, 1), settings.norm)
        return cls.from_params(params, seed, sizes, settings)

    def experience(self, replay: ReplayBuffer) -> NoReturn:
        """There is none in a replay, which holds no goals.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError("sharsa learns from goals in hindsight; train it with chunkenv train sharsa.")

    def goal_windows(self, dataset: Dataset, form: GoalForm) -> SubgoalWindows:
        """What batches are drawn from, out of a dataset with actions from -1 to 1; arguments as `SubgoalWindows`."""
        return SubgoalWindows(dataset, self.settings.horizons, form)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """A chunk for each observation and goal; arguments and result as for `Learner.sample_chunk`."""
        for_subgoals, for_chunks = jax.random.split(key)
        settings, horizons = self.settings, self.settings.horizons
        draws = 1 if settings.hierarchy else settings.draws
        toward = self.toward_subgoals(observations, prefix, lengths, for_subgoals)
        noise = jax.random.normal(
            for_chunks, (len(observations), draws, horizons.prediction_horizon, self.sizes.action)
        )
        chunks = behaviour_chunks(self.params["flow"], toward, noise, prefix, lengths, horizons, settings.steps)
        if draws == 1:
            return chunks[:, 0]
        return best_choices(self.params["critics"], observations, chunks, horizons.seen)

    @jax.jit
    def toward_subgoals(
        self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array
    ) -> jax.Array:
        """The observations [B, O] with the best of N sub-goals in the goal's place; without hierarchy as they are."""
        settings = self.settings
        if not settings.hierarchy:
            return observations
        noise = jax.random.normal(key, (len(observations), settings.draws, settings.goal_size))
        drawn = draw_subgoals(
            self.params["subgoals"], observations, noise, prefix, lengths, settings.horizons, settings.steps
        )[:, :, None]
        best = best_choices(self.params["critics"], observations, drawn) if settings.values else drawn[:, 0]
        return jnp.concatenate([observations[:, : -settings.goal_size], best[:, 0]], axis=1)

    @jax.jit
    def goal_values(self, observations: jax.Array) -> jax.Array:
        """V(s, g) of observations with goals [B, O]: discount to the power of the ticks to the goal, expected.

        Raises:
            ArgumentError: the agent has no values.
        """
        if not self.settings.values:
            raise ArgumentError("This agent was made with values=False and values nothing; train one with values.")
        return probabilities(self.params["value"], observations)

    def loss(self, params: Params, batch: Any, key: jax.Array) -> tuple[jax.Array, Info]:
        """All networks'; arguments and result as for `Learner.loss`, of a `SubgoalBatch`."""
        for_filling, for_chunks, for_subgoals = jax.random.split(key, 3)
        horizons, windows = self.settings.horizons, batch
        rows = fill_unplayed(windows.chunks, windows.known, for_filling)
        aims = windows.nearby if self.settings.hierarchy else windows.policy_goals
        seen = _with_goals(windows.observations, aims)
        losses = {"flow_loss": behaviour_loss(params["flow"], seen, rows, windows.known, horizons, for_chunks)}
        if self.settings.hierarchy:
            states = _with_goals(windows.observations, windows.policy_goals)
            losses["subgoal_loss"] = subgoal_loss(
                params["subgoals"], states, rows, windows.policy_subgoals, horizons, for_subgoals
            )
        info: Info = {}
        if self.settings.values:
            found, info = self._value_losses(params, windows, rows)
            losses |= found
        return sum(losses.values(), jnp.zeros(())), {**losses, **info}

    def _value_losses(self, params: Params, batch: SubgoalBatch[jax.Array], rows: jax.Array) -> tuple[Info, Info]:
        """The critics' and the value's, and what they are about."""
        states = _with_goals(batch.observations, batch.value_goals)
        later = probabilities(self.params["value"], _with_goals(batch.next_observations, batch.value_goals))
        targets = batch.rewards + batch.discounts * later
        chosen = batch.value_subgoals[:, None] if self.settings.hierarchy else rows[:, self.settings.horizons.seen]
        found = critic_values(params["critics"], states, chosen)
        worth = jax.nn.sigmoid(critic_values(self.target, states, chosen)).min(axis=0)
        value = mlp.apply(params["value"], states)[:, 0]
        losses = {
            "critic_loss": cross_entropy_errors(found, targets).mean(),
            "value_loss": cross_entropy_errors(value, worth).mean(),
        }
        return losses, {"value": jax.nn.sigmoid(value).mean(), "target": targets.mean()}


def probabilities(value: Layers, observations: jax.Array) -> jax.Array:
    """Values between 0 and 1, float32[B]."""
    return jax.nn.sigmoid(mlp.apply(value, observations)[:, 0])


def best_choices(critics: Layers, observations: jax.Array, choices: jax.Array, seen: slice = slice(None)) -> jax.Array:
    """Of N choices [B, N, R, C] the one with the highest smallest value over the critics, [B, R, C].

    Args:
        critics: E of them.
        observations: [B, O].
        choices: chunks, or sub-goals of one row.
        seen: the rows that the critics see.
    """
    values = critic_values(critics, observations, choices[:, :, seen]).min(axis=0)
    return jnp.take_along_axis(choices, values.argmax(axis=1)[:, None, None, None], axis=1)[:, 0]


def _with_goals(observations: jax.Array, goals: jax.Array) -> jax.Array:
    return jnp.concatenate([observations, goals], axis=1)
