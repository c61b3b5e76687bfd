"""CFGRL: a policy is improved while it acts, by a weight on what it is told (Frans et al. 2025, arXiv 2505.23458).

A flow imitates the chunks of the data, and is told what they were good for; in a tenth of the windows it is told
nothing. To act, the difference of the two velocities is exaggerated by a weight w (`GuidedFlow`): 1 is imitation with a
condition, more goes further towards what the condition asks for than the data do, and one training gives the policies
of all weights. Three forms differ in what the flow is told:

    goal        a state that was reached later in the episode; there are no rewards and no values
    subgoals    the same on two levels: a flow over sub-goals n ticks ahead is told the goal, the flow over chunks is
                told the sub-goal, and both are guided with the same weight
    advantage   whether the chunk was better than usual: the sign of Q(o, chunk) - V(o), of implicit Q-learning
                (arXiv 2110.06169) over chunks; acting, it is told that the chunk is better

An observation ends with the goal in the first two forms. With a delay the flow over chunks, the critics and the value
see the prefix; the flow over sub-goals does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from chunkenv.agents.common.critics import critic_values, fill_unplayed, initial_critics, mean_counted
from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
from chunkenv.agents.common.values import expectile_errors
from chunkenv.agents.dqc import state_value
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import BehaviourFlow, behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes, clean_rows, with_prefix
from chunkenv.agents.nets.guided_flow import GuidedFlow, with_condition
from chunkenv.data.dataset import Dataset
from chunkenv.data.hindsight import GoalForm
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import Batch, ReplayBuffer
from chunkenv.data.windows.goal_windows import GoalBatch, GoalWindows
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number, whole_number
from chunkenv.utils.euler import euler

FORMS = ("goal", "subgoals", "advantage")
LABEL_SIZE = 32
NULL, WORSE, BETTER = range(3)
"""What a flow is told by label: nothing, or the sign of the advantage."""
ONE_ROW = Horizons(chunk=1, backup=1)
"""A sub-goal is drawn as a chunk of one row."""


@dataclass(frozen=True, kw_only=True)
class CFGRLSettings(AgentSettings):
    """Everything that an agent is made by; with form "subgoals" `horizons.backup` are the ticks to a sub-goal.

    Attributes:
        form: what the flow is told: "goal", "subgoals" or "advantage".
        goal_size: numbers in a goal, G; with form "advantage" there is none, and this does not matter.
        left_out: share of windows in which the flow is told nothing.
        expectile: of the critics that a state's value is.
        steps: of each flow, from noise to data.
        guidance: the weight w, unless another is asked for when acting.

    Raises:
        ArgumentError: for an invalid value.
    """

    form: str = "goal"
    goal_size: int = 1
    left_out: float = 0.1
    expectile: float = 0.9
    steps: int = 10
    guidance: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("form", self.form, FORMS)
        for name in ("goal_size", "steps"):
            whole_number(name, getattr(self, name), at_least=1)
        real_number("left_out", self.left_out, at_least=0.0, at_most=1.0)
        real_number("expectile", self.expectile, at_least=0.0, at_most=1.0)
        real_number("guidance", self.guidance, at_least=0.0)

    @property
    def has_goals(self) -> bool:
        """Whether observations end with a goal."""
        return self.form != "advantage"


@as_tree
@dataclass(frozen=True)
class CFGRL(Learner):
    """An agent as a value: `update` takes a `GoalBatch`, or with form "advantage" a `Batch`, and returns another.

    Attributes:
        params: the networks: "flow" and "told", what it may be told, [1, G + 1] or [3, 32]; with form "subgoals" also
            "subgoals" and "subgoals_told"; with form "advantage" also "value".
        target: the critics that values are made with; none without values.
    """

    settings: CFGRLSettings

    name = "cfgrl"
    settings_class = CFGRLSettings

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: CFGRLSettings) -> CFGRL:
        """An agent that has not learned anything; `observation_size` counts the goal, too."""
        sizes, horizons, goal = Sizes(observation_size, action_size), settings.horizons, settings.goal_size
        keys = jax.random.split(jax.random.key(seed), 4)
        if settings.has_goals:
            params: Params = {"told": jnp.zeros((1, goal + 1)), "critics": []}
        else:
            params = {"told": 0.1 * jax.random.normal(keys[3], (3, LABEL_SIZE))} | _initial_values(
                keys, sizes, settings
            )
        seen = replace(sizes, observation=observation_size + (1 if settings.has_goals else LABEL_SIZE))
        params["flow"] = initial_behaviour(keys[0], seen, horizons, settings.hidden)
        if settings.form == "subgoals":
            drawn = replace(seen, action=goal)
            params["subgoals"] = initial_behaviour(keys[1], drawn, ONE_ROW, settings.hidden)
            params["subgoals_told"] = jnp.zeros((1, goal + 1))
        return cls.from_params(params, seed, sizes, settings)

    def with_guidance(self, weight: float) -> CFGRL:
        """The same agent with another weight w; nothing is learned anew.

        Raises:
            ArgumentError: a weight below 0, or one that is not finite.
        """
        return replace(self, settings=replace(self.settings, guidance=float(real_number("guidance", weight, 0.0))))

    @property
    def guided_flow(self) -> GuidedFlow:
        """The flow over chunks; with form "subgoals" its observations end with a sub-goal."""
        settings, told = self.settings, self.params["told"]
        flow = BehaviourFlow(self.params["flow"], settings.horizons, settings.steps)
        condition = None if settings.has_goals else told[BETTER]
        return GuidedFlow(flow, told[NULL], condition, settings.guidance, settings.steps)

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """A guided chunk for each observation; arguments and result as for `Learner.sample_chunk`."""
        for_subgoals, for_chunks = jax.random.split(key)
        horizons, flow = self.settings.horizons, self.guided_flow
        toward = self.toward_subgoals(observations, prefix, lengths, for_subgoals)
        noise = jax.random.normal(for_chunks, (len(observations), horizons.prediction_horizon, self.sizes.action))
        start = with_prefix(noise[:, None], prefix, clean_rows(lengths, horizons.seen_prefix))[:, 0]
        known = lengths if horizons.seen_prefix else None
        return euler(lambda chunks, time: flow.velocity(toward, chunks, time, known), start, flow.steps).clip(-1, 1)

    @jax.jit
    def toward_subgoals(
        self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array
    ) -> jax.Array:
        """The observations [B, O] with a guided sub-goal in the goal's place; as they are in the other forms.

        Args:
            observations: [B, O], with their goals.
            prefix: not seen, like `lengths`.
            lengths: see `prefix`.
            key: of the draws.
        """
        settings, goal = self.settings, self.settings.goal_size
        if settings.form != "subgoals":
            return observations
        inner = BehaviourFlow(self.params["subgoals"], ONE_ROW, settings.steps)
        flow = GuidedFlow(inner, self.params["subgoals_told"][NULL], None, settings.guidance, settings.steps)
        noise = jax.random.normal(key, (len(observations), 1, goal))
        drawn = euler(lambda path, time: flow.velocity(observations, path, time), noise, flow.steps)[:, 0]
        return with_condition(observations[:, :-goal], drawn)

    def experience(self, replay: ReplayBuffer) -> ReplayBuffer:
        """As `Learner.experience`, with form "advantage".

        Raises:
            ArgumentError: of another form, because a replay holds no goals.
        """
        if self.settings.has_goals:
            raise ArgumentError(
                f"cfgrl of form={self.settings.form!r} learns from goals in hindsight; train it with chunkenv train "
                "cfgrl on a goal-conditioned task, or give form='advantage'."
            )
        return replay

    def goal_windows(self, dataset: Dataset, form: GoalForm) -> GoalWindows:
        """What the agent learns from with a goal: windows whose goals are any later state of their episode.

        Args:
            dataset: with actions from -1 to 1.
            form: what a goal is.
        """
        return GoalWindows(dataset, self.settings.horizons, form)

    def loss(self, params: Params, batch: Any, key: jax.Array) -> tuple[jax.Array, Info]:
        """All networks'; arguments and result as for `Learner.loss`, of the batch of its form."""
        parts = self._goal_losses if self.settings.has_goals else self._advantage_losses
        losses, info = parts(params, batch, key)
        return sum(losses.values(), jnp.zeros(())), {**losses, **info}

    def _goal_losses(self, params: Params, batch: GoalBatch[jax.Array], key: jax.Array) -> tuple[Info, Info]:
        """The flows' that are told goals and sub-goals."""
        for_filling, for_flow, for_subgoals, *for_omission = jax.random.split(key, 5)
        rows, two_levels = fill_unplayed(batch.chunks, batch.known, for_filling), self.settings.form == "subgoals"
        aims = batch.nearby if two_levels else batch.goals
        seen = self._condition(batch.observations, _as_condition(aims), params["told"], for_omission[0])
        horizons = self.settings.horizons
        losses = {"flow_loss": behaviour_loss(params["flow"], seen, rows, batch.known, horizons, for_flow)}
        if two_levels:
            seen = self._condition(
                batch.observations, _as_condition(batch.goals), params["subgoals_told"], for_omission[1]
            )
            one, known = batch.subgoals[:, None], jnp.ones((len(seen), 1))
            losses["subgoal_loss"] = behaviour_loss(params["subgoals"], seen, one, known, ONE_ROW, for_subgoals)
        return losses, {}

    def _advantage_losses(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> tuple[Info, Info]:
        """The critics', the value's, and the flow's that is told the sign of the advantage."""
        for_filling, for_prefix, for_flow, for_omission = jax.random.split(key, 4)
        horizons = self.settings.horizons
        rows = fill_unplayed(batch.actions, batch.known, for_filling)
        chunks, known = rows[:, : horizons.prediction_horizon], batch.known[:, : horizons.prediction_horizon]
        prefix = fill_unplayed(batch.prefix, batch.prefix_known, for_prefix)
        later = state_value(self.params["value"], batch.next_observations, prefix, horizons)
        targets = batch.rewards + batch.discounts * later
        found = critic_values(params["critics"], batch.observations, chunks[:, horizons.seen])
        value = state_value(params["value"], batch.observations, rows, horizons)
        worth = critic_values(self.target, batch.observations, chunks[:, horizons.seen]).min(axis=0)
        better = worth >= state_value(self.params["value"], batch.observations, rows, horizons)
        labels = jnp.where(batch.counted > 0, jnp.where(better, BETTER, WORSE), NULL)  # cut short: it is not known
        seen = self._condition(batch.observations, params["told"][labels], params["told"], for_omission)
        losses = {
            "critic_loss": mean_counted((found - targets) ** 2, batch.counted),
            "value_loss": mean_counted(expectile_errors(worth - value, self.settings.expectile)[None], batch.counted),
            "flow_loss": behaviour_loss(params["flow"], seen, chunks, known, horizons, for_flow),
        }
        return losses, {"value": value.mean(), "target": targets.mean(), "better": better.mean()}

    def _condition(self, observations: jax.Array, conditions: jax.Array, table: jax.Array, key: jax.Array) -> jax.Array:
        """Observations with their conditions [B, C]; where one is left out, row NULL of the table stands."""
        out = jax.random.bernoulli(key, self.settings.left_out, (len(observations), 1))
        return with_condition(observations, jnp.where(out, table[NULL], conditions))


def _as_condition(goals: jax.Array) -> jax.Array:
    """Goals as `GuidedFlow` tells them."""
    return with_condition(goals, jnp.ones(1))


def _initial_values(keys: jax.Array, sizes: Sizes, settings: CFGRLSettings) -> Params:
    """Critics of chunks, and the value of states."""
    state = sizes.observation + settings.horizons.seen_prefix * sizes.action
    return {
        "critics": initial_critics(keys[1], sizes, settings),
        "value": mlp.initial(keys[2], (state, *settings.hidden, 1), settings.norm),
    }
