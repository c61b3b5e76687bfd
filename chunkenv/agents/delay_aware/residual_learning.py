"""Learning what is to be added to a planned action: the head of A2C2 (arXiv 2509.23224), in JAX.

A multilayer perceptron with layer norm and ReLU learns, by least squares,

    residual(newest observation, planned action, its place) = label - planned action

on the states that the policy itself comes to. How a training goes is in `chunkenv.training.correction`, the head at
work in `chunkenv.agents.policies.correction_head`.
"""

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
from chunkenv.utils.checks import real_number, whole_number


@dataclass(frozen=True)
class HeadSettings:
    """Everything that the training of a head depends on, but for the data and the seed.

    Attributes:
        hidden: widths of the hidden layers.
        updates: of the weights, in rounds of 100.
        batch: ticks in an update.
        learning_rate: at its highest: it rises linearly over `warm_up` updates and falls as a cosine to 0.
        warm_up: updates.
        weight_decay: of matrices, not of biases.
        clip: the largest norm of a gradient.
        optimizer: "adam", "adamw", "muon" or "splus"; `with_optimizer` gives it a learning rate, too.
        averaged: whether training returns the average of the weights, or the newest.

    Raises:
        ArgumentError: for an invalid value.
    """

    hidden: tuple[int, ...] = (512, 512)
    updates: int = 8000
    batch: int = 512
    learning_rate: float = 1e-3
    warm_up: int = 500
    weight_decay: float = 1e-3
    clip: float = 5.0
    optimizer: str = "adamw"
    averaged: bool = False

    def __post_init__(self) -> None:
        for width in self.hidden:
            whole_number("hidden", width, at_least=1)
        for name in ("updates", "batch", "warm_up"):
            whole_number(name, getattr(self, name), at_least=1)
        check_optimizer(self)
        for name in ("weight_decay", "clip"):
            real_number(name, getattr(self, name), at_least=0.0)


class HeadState(NamedTuple):
    """What training carries from update to update."""

    layers: Layers
    opt_state: optax.OptState
    update: jax.Array


def initial_head(settings: HeadSettings, inputs: int, outputs: int, seed: int) -> HeadState:
    """The state before the first update; the last layer is 0, so that an untrained head corrects nothing."""
    layers = mlp.initial(jax.random.key(seed), (inputs, *settings.hidden, outputs), norm=True)
    layers[-1] = jax.tree.map(jnp.zeros_like, layers[-1])
    return HeadState(layers, _optimiser(settings).init(layers), jnp.int32(0))


@partial(jax.jit, static_argnums=0)
def head_updates(
    settings: HeadSettings, state: HeadState, inputs: Array, targets: Array
) -> tuple[HeadState, jax.Array]:
    """One update for each of K batches: the state after them, and the K losses.

    Args:
        settings: of the training.
        state: before.
        inputs: [K, B, I].
        targets: [K, B, A].
    """

    def step(state: HeadState, batch: tuple[Array, Array]) -> tuple[HeadState, jax.Array]:
        value, gradient = jax.value_and_grad(residual_loss)(state.layers, *batch)
        change, opt_state = _optimiser(settings).update(gradient, state.opt_state, state.layers)
        layers: Layers = optax.apply_updates(state.layers, change)  # pyright: ignore[reportAssignmentType]
        return HeadState(layers, opt_state, state.update + 1), value

    return jax.lax.scan(step, state, (inputs, targets))


def residual_loss(layers: Layers, inputs: Array, targets: Array) -> jax.Array:
    """The mean squared error of a batch."""
    return ((mlp.apply(layers, inputs, activation="relu") - targets) ** 2).mean()


def _optimiser(settings: HeadSettings) -> optax.GradientTransformation:
    """The optimizer under a schedule, after the gradient was clipped."""
    warm_up = min(settings.warm_up, settings.updates - 1)
    schedule = optax.warmup_cosine_decay_schedule(0.0, settings.learning_rate, warm_up, settings.updates)
    return optax.chain(
        optax.clip_by_global_norm(settings.clip),
        make_optimizer(settings.optimizer, schedule, settings.averaged, weight_decay=settings.weight_decay),
    )
