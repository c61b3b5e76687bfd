"""What the agents of the Q-chunking family share: settings, the update of weights, and values of chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import optax

from chunkenv.agents.common import saving
from chunkenv.agents.nets import mlp as perceptron
from chunkenv.agents.nets.chunk_flow import Sizes, in_blocks
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import Batch
from chunkenv.utils.checks import real_number, true_or_false, whole_number

Params = dict[str, Any]
"""Networks by name."""

Info = dict[str, jax.Array]
"""What an update tells of itself."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every agent is made by.

    Attributes:
        horizons: lengths of chunk, backup and delay.
        hidden: widths of the hidden layers of every network.
        critics: how many; their mean counts.
        norm: whether critics have layer norms.
        batch: windows in an update.
        learning_rate: of Adam (Kingma and Ba 2015).
        polyak: how far the target critic goes towards the critic in an update.
        even: whether batches hold as many offline as online windows, instead of all ticks being equally likely.

    Raises:
        ArgumentError: for a value that cannot be meant.
    """

    horizons: Horizons = field(default_factory=Horizons)
    hidden: tuple[int, ...] = (512, 512, 512, 512)
    critics: int = 2
    norm: bool = True
    batch: int = 256
    learning_rate: float = 3e-4
    polyak: float = 0.005
    even: bool = False

    def __post_init__(self) -> None:
        for width in self.hidden:
            whole_number("hidden", width, at_least=1)
        whole_number("critics", self.critics, at_least=1)
        whole_number("batch", self.batch, at_least=1)
        real_number("learning_rate", self.learning_rate, at_least=0.0)
        real_number("polyak", self.polyak, at_least=0.0, at_most=1.0)
        true_or_false("norm", self.norm)
        true_or_false("even", self.even)


as_tree = partial(
    jax.tree_util.register_dataclass,
    data_fields=["params", "target", "memory", "seed", "updates"],
    meta_fields=["sizes", "settings"],
)
"""Makes an agent's class one of JAX's trees; above its `dataclass`."""


@dataclass(frozen=True)
class Learner:
    """An agent as a value, and how it learns: `update` returns another.

    An agent of one's own inherits it, and says how it begins (`create`), what it does (`sample_chunk`) and what it
    learns (`loss`): examples/own_agent.py.

    Attributes:
        params: the networks, by name: "critics" and others.
        target: the critics that targets are made with.
        memory: of the optimiser.
        seed: of all randomness.
        updates: how many were made.
        sizes: O and A.
        settings: everything else.
    """

    params: Params
    target: Layers
    memory: Any
    seed: jax.Array
    updates: jax.Array
    sizes: Sizes
    settings: Any

    name: ClassVar[str]
    settings_class: ClassVar[type[Any]]

    @classmethod
    def begun(cls, params: Params, seed: int, sizes: Sizes, settings: Any) -> Self:
        """An agent with these networks that has not learned anything."""
        memory = adam(settings).init(params)
        return cls(params, params["critics"], memory, jnp.uint32(seed), jnp.int32(0), sizes, settings)

    @jax.jit
    def update(self, batch: Batch) -> tuple[Self, Info]:
        """The agent after one step of all its networks, and what is to be known about their losses."""
        key = key_of(self.seed, self.updates)
        loss = partial(self.loss, batch=jax.tree.map(jnp.asarray, batch), key=key)
        params, memory, info = descended(loss, self.params, self.memory, self.settings)
        target = polyak(self.target, params["critics"], self.settings.polyak)
        return replace(self, params=params, target=target, memory=memory, updates=self.updates + 1), info

    def save(self, path: Path | str) -> None:
        """Write the agent, its optimiser's memory and its random state into one safetensors file."""
        saving.save(self, path)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The agent that `save` wrote, to the bit.

        Raises:
            ArgumentError: there is no such file, it is damaged, or holds another agent.
        """
        return saving.load(cls, path)

    def loss(self, params: Params, batch: Batch, key: jax.Array) -> tuple[jax.Array, Info]:
        """The sum of all losses, and what is to be told of them; each agent has its own.

        Args:
            params: the weights that are learned; `self.params` are the same numbers, which no gradient goes into.
            batch: of B windows.
            key: of all that is drawn.
        """
        raise NotImplementedError


def initial_critics(key: jax.Array, sizes: Sizes, settings: Settings, rows: int | None = None) -> Layers:
    """Critics of chunks of so many rows; of those that are seen of a prediction if None."""
    seen = settings.horizons.seen
    inputs = sizes.observation + (seen.stop - seen.start if rows is None else rows) * sizes.action
    return perceptron.initial_ensemble(key, settings.critics, (inputs, *settings.hidden, 1), settings.norm)


def values(critics: Layers, observations: jax.Array, rows: jax.Array, activation: str = "gelu") -> jax.Array:
    """What each critic gives chunks for.

    Args:
        critics: E of them.
        observations: [B, O].
        rows: [B, ..., R, A], the rows that it sees.
        activation: of the critics, see `perceptron.apply`.

    Returns:
        float32[E, B, ...].
    """
    flat = rows.reshape(*rows.shape[:-2], -1)
    between = (1,) * (flat.ndim - 2)
    return perceptron.apply_ensemble(
        critics, observations.reshape(len(observations), *between, -1), flat, activation=activation
    )


def values_in_blocks(critics: Layers, observations: jax.Array, rows: jax.Array) -> jax.Array:
    """The mean over critics for N chunks of each observation, float32[B, N]."""

    def block(observations: jax.Array, rows: jax.Array) -> jax.Array:
        return values(critics, observations, rows).mean(axis=0)

    return in_blocks(block, rows.shape[1], observations, rows)


def filled(rows: jax.Array, known: jax.Array, key: jax.Array) -> jax.Array:
    """Rows [B, R, A] with those of other windows where nothing was played.

    So the critic learns that they don't matter there, of such actions as it will be asked for; and what stands in them
    does not betray that the task ended, which noise or zeros would tell a critic that does not see all that was played.
    """
    whole = known.prod(axis=1) + 1e-9
    donors = jax.random.choice(key, len(rows), (len(rows),), p=whole / whole.sum())
    return jnp.where(known[..., None] > 0, rows, rows[donors])


def mean_counted(errors: jax.Array, counted: jax.Array) -> jax.Array:
    """The mean of errors [E, B] over the windows [B] that count."""
    return (errors * counted).sum() / jnp.maximum(counted.sum(), 1) / len(errors)


def polyak(target: Any, online: Any, share: float) -> Any:
    """The target after going a share of the way to the online weights."""
    return jax.tree.map(lambda old, new: old + share * (new - old), target, online)


def key_of(seed: jax.Array, update: jax.Array) -> jax.Array:
    """All randomness of one update: so that a training goes on to the bit from weights, seed and count alone."""
    return jax.random.fold_in(jax.random.key(seed, impl="rbg"), update)


def adam(settings: Settings) -> optax.GradientTransformation:
    """The optimiser of all networks of an agent."""
    return optax.adam(settings.learning_rate)


def descended(
    loss: Callable[[Params], tuple[jax.Array, Info]], params: Params, memory: Any, settings: Settings
) -> tuple[Params, Any, Info]:
    """Weights and the optimiser's memory after one step down the gradient, and what the loss told."""
    gradient, info = jax.grad(loss, has_aux=True)(params)
    change, memory = adam(settings).update(gradient, memory, params)
    return optax.apply_updates(params, change), memory, info  # pyright: ignore[reportReturnType]


def window(batch: Batch, key: jax.Array) -> jax.Array:
    """The actions of a batch's windows [B, R, A], with those of others where nothing was played."""
    return filled(jnp.asarray(batch.actions), jnp.asarray(batch.known), key)
