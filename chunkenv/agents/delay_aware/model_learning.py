"""Learning a model of the world from ticks: the loss, and its minimiser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from chunkenv.agents.common.optim.optimizers import check_optimizer, make_optimizer
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.mlp import Array, Layers
from chunkenv.agents.policies.learned_model import ModelScales, normalised_change
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number

SMALLEST_CHANGE = 1e-6
"""A standard deviation below it is that of a number that never moves, of which nothing is learned."""


@dataclass(frozen=True)
class ModelSettings:
    """Everything that a training depends on, but for the data and the seed.

    Attributes:
        hidden: widths of the hidden layers.
        updates: of the weights, in rounds of 100.
        batch: ticks in an update.
        learning_rate: at the start; it falls as a cosine to 0.
        optimizer: "adam", "adamw", "muon" or "splus"; `with_optimizer` gives it a learning rate, too.
        averaged: whether training returns the average of the weights, or the newest.

    Raises:
        ArgumentError: for an invalid value.
    """

    hidden: tuple[int, ...] = (128, 128)
    updates: int = 20_000
    batch: int = 512
    learning_rate: float = 2e-3
    optimizer: str = "adam"
    averaged: bool = False

    def __post_init__(self) -> None:
        for name in ("updates", "batch"):
            whole_number(name, getattr(self, name), at_least=1)
        check_optimizer(self)
        if not self.hidden or min(self.hidden) < 1:
            raise ArgumentError(f"hidden={self.hidden} are no widths; give at least one, each at least 1.")


class ModelState(NamedTuple):
    """What training carries from update to update."""

    layers: Layers
    opt_state: optax.OptState
    update: jax.Array


def initial_model_state(settings: ModelSettings, observation: int, action: int, seed: int) -> ModelState:
    """The state before the first update, for observations and actions of these sizes."""
    sizes = (observation + action, *settings.hidden, observation)
    layers = mlp.initial(jax.random.key(seed), sizes)
    return ModelState(layers, _optimiser(settings).init(layers), jnp.int32(0))


@partial(jax.jit, static_argnums=0)
def model_updates(
    settings: ModelSettings, state: ModelState, scales: ModelScales, batches: tuple[Array, Array, Array]
) -> tuple[ModelState, jax.Array]:
    """One update for each of K batches (observations, actions, next observations): the state after them, K losses."""

    def step(state: ModelState, batch: tuple[Array, Array, Array]) -> tuple[ModelState, jax.Array]:
        value, gradient = jax.value_and_grad(model_loss)(state.layers, scales, *batch)
        change, opt_state = _optimiser(settings).update(gradient, state.opt_state, state.layers)
        layers: Layers = optax.apply_updates(state.layers, change)  # pyright: ignore[reportAssignmentType]
        return ModelState(layers, opt_state, state.update + 1), value

    return jax.lax.scan(step, state, batches)


def model_loss(layers: Layers, scales: ModelScales, observations: Array, actions: Array, after: Array) -> jax.Array:
    """The mean squared error of the changes in their standard deviations: 1 for who predicts their mean."""
    moves = jnp.asarray(scales.change_std) > SMALLEST_CHANGE
    change = (after - observations - scales.change_mean) / jnp.where(moves, scales.change_std, 1.0)
    error = jnp.where(moves, normalised_change(layers, scales, observations, actions) - change, 0.0)
    return (error**2).sum() / (jnp.maximum(moves.sum(), 1) * len(observations))


def _optimiser(settings: ModelSettings) -> optax.GradientTransformation:
    schedule = optax.cosine_decay_schedule(settings.learning_rate, settings.updates)
    return optax.chain(optax.clip_by_global_norm(1.0), make_optimizer(settings.optimizer, schedule, settings.averaged))
