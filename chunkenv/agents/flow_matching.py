"""Flow matching over action chunks: the policy that the study of Real-Time Chunking is about, in JAX.

A chunk is made of noise in a few Euler steps along a learned velocity (Lipman et al. 2023, arXiv 2210.02747; for chunks
of actions: Black et al. 2024, arXiv 2410.24164). Flow time runs from 0, noise, to 1, data:

    chunk(t) = t * data + (1 - t) * noise          loss = |velocity(observation, chunk(t), t) - (data - noise)|^2

over the rows that lie within the episode. With `max_prefix` the policy is *prefix-conditioned*: training-time Real-Time
Chunking (Black et al. 2025, arXiv 2512.05964) leaves the first rows clean, with a flow time of 1 of their own, and
counts the loss of the others only, so that the network itself learns to go on from rows that are already decided.
With `soft_rows` some rows behind the prefix are given in part, as chunks between noise and data, so that it learns to
stay near a plan that it may still change (Liu et al. 2026, arXiv 2605.25537).

How a training goes is in `chunkenv.training.imitation`, the policy in `chunkenv.agents.policies.flow_policy`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax

from chunkenv.agents.common.optim.optimizers import check_optimizer, make_optimizer
from chunkenv.agents.nets.chunk_flow import clean_rows, flow_loss, row_times, soft_weights
from chunkenv.agents.nets.mixer import Architecture, ChunkSizes, Weights, initial_weights
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number, whole_number


@dataclass(frozen=True)
class FlowSettings:
    """Everything that a training depends on, but for the data and the seed.

    Attributes:
        architecture: of the network.
        steps: Euler steps from noise to a chunk.
        max_prefix: the longest clean prefix that the policy learns to go on from, d_max; 0 for a plain policy.
        prefix_decay: the chance of each length is exp(-prefix_decay) times that of the one below; 0 for equal chances.
        soft_rows: the most rows behind a prefix that are given in part; 0 for hard prefixes.
        updates: of the weights, in rounds of 100.
        batch: windows in an update.
        learning_rate: at its highest: it rises linearly over `warm_up` updates and falls as a cosine to 0.
        warm_up: updates.
        weight_decay: of matrices, not of biases.
        clip: the largest norm of a gradient.
        averaging: decay per update of the moving average of the weights.
        data_std: the standard deviation that the preconditioning takes actions to have *given* an observation, in units
            of their standard deviation over all observations.
        optimizer: "adam", "adamw", "muon" or "splus"; `with_optimizer` gives it a learning rate, too.
        averaged: whether training returns the moving average of the weights, or the newest.

    Raises:
        ArgumentError: for an invalid value.

    >>> FlowSettings(max_prefix=4).prefix_conditioned
    True
    """

    architecture: Architecture = field(default_factory=Architecture)
    steps: int = 5
    max_prefix: int = 0
    updates: int = 10_000
    batch: int = 512
    learning_rate: float = 1.5e-2
    warm_up: int = 500
    weight_decay: float = 1e-2
    clip: float = 1.0
    averaging: float = 0.999
    data_std: float = 1.0
    soft_rows: int = 0
    optimizer: str = "adamw"
    averaged: bool = True
    prefix_decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "updates", "batch", "warm_up"):
            whole_number(name, getattr(self, name), at_least=1)
        whole_number("max_prefix", self.max_prefix, at_least=0)
        if whole_number("soft_rows", self.soft_rows, at_least=0) and not self.max_prefix:
            raise ArgumentError(f"soft_rows={self.soft_rows} stand behind a prefix, and max_prefix=0; give max_prefix.")
        real_number("averaging", self.averaging, at_least=0.0, at_most=1.0)
        check_optimizer(self)
        for name in ("weight_decay", "clip", "data_std", "prefix_decay"):
            real_number(name, getattr(self, name), at_least=0.0)

    @property
    def prefix_conditioned(self) -> bool:
        """Whether the policy goes on from a clean prefix."""
        return self.max_prefix > 0


class FlowState(NamedTuple):
    """What training carries from update to update."""

    weights: Weights
    average: Weights
    opt_state: optax.OptState
    update: jax.Array


class Objective(Protocol):
    """What a training makes small, as a value that can be handed to a compiled function."""

    @property
    def loss(self) -> Callable[..., jax.Array]:
        """`loss(weights, flow, key, done, *batch)`, a number.

        weights: of the network, in place of the flow's. flow: everything else. key: of all that is drawn. done: the
        share of the updates that were made, from 0 to below 1. batch: what the windows give, with actions in the
        network's space.
        """
        ...


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=["max_prefix", "soft_rows", "prefix_decay"])
@dataclass(frozen=True)
class Imitation:
    """Flow matching of demonstrations: `loss` below.

    Attributes:
        max_prefix: as in `FlowSettings`.
        soft_rows: as in `FlowSettings`.
        prefix_decay: as in `FlowSettings`.
    """

    max_prefix: int = 0
    soft_rows: int = 0
    prefix_decay: float = 0.0

    def loss(
        self,
        weights: Weights,
        flow: PreconditionedFlow,
        key: jax.Array,
        done: jax.Array,
        observations: Array,
        actions: Array,
        mask: Array,
        *executed: Array,
    ) -> jax.Array:
        """As `Objective.loss`."""
        given = (weights, flow, observations, actions, mask, key, self.max_prefix)
        return loss(*given, *executed, soft_rows=self.soft_rows, prefix_decay=self.prefix_decay)


def initial_state(settings: FlowSettings, sizes: ChunkSizes, seed: int, weights: Weights | None = None) -> FlowState:
    """The state before the first update, with weights of its own if there are none to begin with."""
    weights = initial_weights(settings.architecture, sizes, seed) if weights is None else weights
    return FlowState(weights, weights, optimiser(settings).init(weights), jnp.int32(0))


def optimiser(settings: FlowSettings) -> optax.GradientTransformation:
    """The optimizer under a schedule, after the gradient was clipped; `FlowState` has the average."""
    warm_up = min(settings.warm_up, settings.updates - 1)
    schedule = optax.warmup_cosine_decay_schedule(0.0, settings.learning_rate, warm_up, settings.updates)
    return optax.chain(
        optax.clip_by_global_norm(settings.clip),
        make_optimizer(settings.optimizer, schedule, weight_decay=settings.weight_decay),
    )


@partial(jax.jit, static_argnums=0)
def updates(
    settings: FlowSettings,
    state: FlowState,
    flow: PreconditionedFlow,
    seed: int,
    batches: tuple[Array, ...],
    objective: Objective,
) -> tuple[FlowState, jax.Array, jax.Array]:
    """One update for each of K batches: the state after them, and the K losses and norms of the gradient."""

    def step(state: FlowState, batch: tuple[Array, ...]) -> tuple[FlowState, tuple[jax.Array, jax.Array]]:
        key = jax.random.fold_in(jax.random.key(seed), state.update)
        done = state.update / settings.updates
        value, gradient = jax.value_and_grad(objective.loss)(state.weights, flow, key, done, *batch)
        return _update(settings, state, gradient), (value, optax.tree.norm(gradient))

    state, (losses, norms) = jax.lax.scan(step, state, batches)
    return state, losses, norms


def _update(settings: FlowSettings, state: FlowState, gradient: Weights) -> FlowState:
    change, opt_state = optimiser(settings).update(gradient, state.opt_state, state.weights)
    weights: Weights = optax.apply_updates(state.weights, change)  # pyright: ignore[reportAssignmentType]
    kept = jnp.minimum(settings.averaging, (1 + state.update) / (10 + state.update))
    average = jax.tree.map(lambda old, new: kept * old + (1 - kept) * new, state.average, weights)
    return FlowState(weights, average, opt_state, state.update + 1)


def loss(
    weights: Weights,
    flow: PreconditionedFlow,
    observations: Array,
    actions: Array,
    mask: Array,
    key: jax.Array,
    max_prefix: int,
    executed: Array | None = None,
    soft_rows: int = 0,
    prefix_decay: float = 0.0,
) -> jax.Array:
    """The mean squared error of the velocity over the rows that count.

    Args:
        weights: of the network, in place of the flow's.
        flow: everything else.
        observations: [B, O].
        actions: [B, H, A], in the network's space.
        mask: [B, H], 0 for rows beyond the episode's end.
        key: of the noise, the flow times and the prefix lengths.
        max_prefix: the longest prefix.
        executed: [B, H, A], the actions as they were executed, which prefixes are made of; `actions` if None.
        soft_rows: the most rows behind a prefix that are given in part; each number from 0 to this is as likely.
        prefix_decay: as in `FlowSettings`.
    """
    noise, filling = jax.random.normal(key, (2, *actions.shape))
    time, lengths = draw_times_and_lengths(key, len(actions), max_prefix, prefix_decay)
    exists = mask[..., None] > 0  # elsewhere the future is unknown: nothing is learned from noise
    data, given = (jnp.where(exists, rows, filling) for rows in (actions, actions if executed is None else executed))
    learned, prefix = dataclasses.replace(flow, weights=weights), {"prefix_length": lengths} if max_prefix else {}
    times = time
    if soft_rows:
        prefix = {"prefix_weights": draw_soft_weights(key, lengths, soft_rows, actions.shape[1])}
        times = row_times(time, prefix["prefix_weights"])

    def velocity(path: jax.Array) -> jax.Array:
        return learned.velocity(observations, path, time, **prefix)

    return flow_loss(velocity, data, noise, times, clean_rows(lengths, actions.shape[1]), mask, given)


def draw_times_and_lengths(
    key: jax.Array, count: int, max_prefix: int, prefix_decay: float = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Flow times, spread evenly over [0, 1) from a random start, and prefix lengths."""
    for_time, for_prefix = jax.random.split(jax.random.fold_in(key, 1))
    time = (jax.random.uniform(for_time) + jnp.arange(count) / count) % 1.0
    if prefix_decay:
        return time, jax.random.categorical(for_prefix, -prefix_decay * jnp.arange(max_prefix + 1), shape=(count,))
    return time, jax.random.randint(for_prefix, (count,), 0, max_prefix + 1)


def fine_tuned_weights(flow: PreconditionedFlow, sizes: ChunkSizes) -> Weights:
    """The weights of a flow, to begin a training of these sizes with: what they add is read with a weight of zero."""
    shapes = jax.eval_shape(lambda: initial_weights(flow.architecture, sizes, 0))
    return {name: _grown(value, shapes[name].shape) for name, value in flow.weights.items()}


def _grown(value: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.pad(value, [(0, size - had) for size, had in zip(shape, value.shape, strict=True)])


def draw_soft_weights(key: jax.Array, lengths: jax.Array, soft_rows: int, rows: int) -> jax.Array:
    """How much of each row is given, [B, rows]: the prefix, and from 0 to `soft_rows` rows behind it in part."""
    soft = jax.random.randint(jax.random.fold_in(key, 2), lengths.shape, 0, soft_rows + 1)
    return soft_weights(lengths, soft, rows)
