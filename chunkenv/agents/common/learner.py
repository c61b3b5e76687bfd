"""What an agent of the Q-chunking family is: its settings, its shape (`Learner`), how it learns and is stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
import optax

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim.averaging import averaged_weights
from chunkenv.agents.common.optim.optimizers import check_optimizer, make_optimizer, settings_facts
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import Batch, Experience, ReplayBuffer
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number, true_or_false, whole_number

KIND = "chunkenv agent"

Params = dict[str, Any]
"""Networks by name."""

Info = dict[str, jax.Array]
"""The metrics of an update."""


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What every agent is made by.

    Attributes:
        horizons: lengths of chunk, backup and delay.
        hidden: widths of the hidden layers of every network.
        critics: how many; their mean counts.
        norm: whether critics have layer norms.
        batch: windows in an update.
        learning_rate: of the optimizer.
        polyak: how far the target critic goes towards the critic in an update.
        symmetric_sampling: whether batches hold as many offline as online windows, instead of all ticks being equally
            likely.
        optimizer: "adam", "adamw", "muon" or "splus"; `with_optimizer` gives it a learning rate, too.
        averaged: whether the agent acts with the average of its weights; targets are made with the newest.

    Raises:
        ArgumentError: for an invalid value.
    """

    horizons: Horizons = field(default_factory=Horizons)
    hidden: tuple[int, ...] = (512, 512, 512, 512)
    critics: int = 2
    norm: bool = True
    batch: int = 256
    learning_rate: float = 3e-4
    polyak: float = 0.005
    symmetric_sampling: bool = False
    optimizer: str = "adam"
    averaged: bool = False

    def __post_init__(self) -> None:
        for width in self.hidden:
            whole_number("hidden", width, at_least=1)
        whole_number("critics", self.critics, at_least=1)
        whole_number("batch", self.batch, at_least=1)
        check_optimizer(self)
        real_number("polyak", self.polyak, at_least=0.0, at_most=1.0)
        true_or_false("norm", self.norm)
        true_or_false("symmetric_sampling", self.symmetric_sampling)

    def facts(self) -> Facts:
        """The settings as plain data; `symmetric_sampling` is called "even" in files."""
        facts = settings_facts(self)
        return {"even" if name == "symmetric_sampling" else name: value for name, value in facts.items()}

    @classmethod
    def from_facts(cls, facts: Facts) -> Self:
        """The settings that `facts` describes."""
        changed = {
            "hidden": tuple(facts["hidden"]),
            "horizons": Horizons(**facts["horizons"]),
            "symmetric_sampling": facts["even"],
        }
        return cls(**{name: value for name, value in facts.items() if name != "even"} | changed)


as_tree = partial(
    jax.tree_util.register_dataclass,
    data_fields=["params", "target", "opt_state", "seed", "updates"],
    meta_fields=["sizes", "settings"],
)
"""Makes an agent's class one of JAX's trees; above its `dataclass`."""


@dataclass(frozen=True)
class Learner:
    """An agent as a value, and how it learns: `update` returns another agent.

    An agent of your own inherits it and defines how it begins (`create`), what it does (`sample_chunk`) and what it
    learns (`loss`): examples/own_agent.py.

    Attributes:
        params: the networks, by name: "critics" and others.
        target: the critics that targets are made with.
        opt_state: of the optimiser.
        seed: of all randomness.
        updates: how many were made.
        sizes: O and A.
        settings: everything else.
    """

    params: Params
    target: Layers
    opt_state: optax.OptState
    seed: jax.Array
    updates: jax.Array
    sizes: Sizes
    settings: AgentSettings

    name: ClassVar[str]
    settings_class: ClassVar[type[AgentSettings]]

    @classmethod
    def create(cls, seed: int, observation_size: int, action_size: int, settings: Any) -> Self:
        """An agent that has not learned anything."""
        raise NotImplementedError

    @jax.jit
    def sample_chunk(self, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, key: jax.Array) -> jax.Array:
        """What to do: a chunk for each observation.

        Args:
            observations: [B, O].
            prefix: [B, d, A], of which the first `lengths` rows are decided already.
            lengths: int[B].
            key: of the draws.

        Returns:
            float32[B, H, A] within [-1, 1], each beginning with its prefix, if the agent sees it.
        """
        raise NotImplementedError

    def loss(self, params: Params, batch: Batch[jax.Array], key: jax.Array) -> tuple[jax.Array, Info]:
        """The sum of all losses, and the metrics of the update.

        Args:
            params: the weights that are learned; `self.params` are the same numbers, which no gradient goes into.
            batch: of B windows.
            key: of all that is drawn.
        """
        raise NotImplementedError

    @property
    def valued_rows(self) -> slice:
        """The predicted rows that the critics see."""
        return self.settings.horizons.seen

    def experience(self, replay: ReplayBuffer) -> Experience:
        """What batches are drawn from, out of a replay of whole episodes; the replay itself, unless overridden."""
        return replay

    @classmethod
    def from_params(cls, params: Params, seed: int, sizes: Sizes, settings: AgentSettings) -> Self:
        """An agent with these networks that has not learned anything."""
        opt_state = optimizer_of(settings).init(params)
        return cls(params, params["critics"], opt_state, jnp.uint32(seed), jnp.int32(0), sizes, settings)

    @jax.jit
    def update(self, batch: Batch[np.ndarray]) -> tuple[Self, Info]:
        """The agent after one step of all its networks, and the metrics of the update."""
        key = update_key(self.seed, self.updates)
        loss = partial(self.loss, batch=jax.tree.map(jnp.asarray, batch), key=key)
        params, opt_state, info = gradient_step(loss, self.params, self.opt_state, self.settings)
        target = polyak_step(self.target, params["critics"], self.settings.polyak)
        return replace(self, params=params, target=target, opt_state=opt_state, updates=self.updates + 1), info

    def acting(self) -> Self:
        """The agent that acts, with averaged weights if it has them; what learns keeps its own."""
        return replace(self, params=averaged_weights(self.opt_state, self.params)) if self.settings.averaged else self

    def save(self, path: Path | str) -> None:
        """Write the agent, the state of its optimiser and its random state into one safetensors file, atomically."""
        checkpoint_file.write(Path(path), KIND, self.arrays(), self.facts())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The agent that `save` wrote, to the bit.

        Raises:
            ArgumentError: there is no such file, it is damaged, or holds another agent.
        """
        arrays, facts = checkpoint_file.read(Path(path), KIND)
        if facts["agent"] != cls.name:
            raise ArgumentError(f"{path} holds an agent {facts['agent']!r}, not {cls.name!r}; load it as that.")
        return cls.restore(arrays, facts)

    def arrays(self) -> Arrays:
        """Everything that changes, by the name of its place in the agent."""
        return {_place(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(self)}

    def facts(self) -> Facts:
        """Everything that does not change, as plain data."""
        return {"agent": self.name, "settings": self.settings.facts(), "sizes": dataclasses.asdict(self.sizes)}

    @classmethod
    def restore(cls, arrays: Arrays, facts: Facts) -> Self:
        """The agent that `arrays` and `facts` describe.

        Raises:
            ArgumentError: the arrays are of another shape.
        """
        sizes, settings = Sizes(**facts["sizes"]), cls.settings_class.from_facts(facts["settings"])
        blank = jax.eval_shape(lambda: cls.create(0, sizes.observation, sizes.action, settings))
        leaves, structure = jax.tree_util.tree_flatten_with_path(blank)
        return jax.tree.unflatten(structure, [_stored(arrays, _place(path), leaf) for path, leaf in leaves])


def optimizer_of(settings: AgentSettings) -> optax.GradientTransformation:
    """The optimizer of all networks of an agent."""
    return make_optimizer(settings.optimizer, settings.learning_rate, settings.averaged)


def gradient_step(
    loss: Callable[[Params], tuple[jax.Array, Info]], params: Params, opt_state: optax.OptState, settings: AgentSettings
) -> tuple[Params, optax.OptState, Info]:
    """Weights and the optimiser's state after one step down the gradient, and the metrics of the loss."""
    gradient, info = jax.grad(loss, has_aux=True)(params)
    change, opt_state = optimizer_of(settings).update(gradient, opt_state, params)
    return optax.apply_updates(params, change), opt_state, info  # pyright: ignore[reportReturnType]


def polyak_step(target: Layers, online: Layers, share: float) -> Layers:
    """The target after going a share of the way to the online weights."""
    return jax.tree.map(lambda old, new: old + share * (new - old), target, online)


def update_key(seed: jax.Array, update: jax.Array) -> jax.Array:
    """All randomness of one update: so a training goes on to the bit from weights, seed and count alone."""
    return jax.random.fold_in(jax.random.key(seed, impl="rbg"), update)


def _place(path: jax.tree_util.KeyPath) -> str:
    """The name of a leaf in files, where `opt_state` is called "memory"."""
    return jax.tree_util.keystr(path).replace(".opt_state", ".memory", 1)


def _stored(arrays: Arrays, place: str, leaf: jax.ShapeDtypeStruct) -> jax.Array:
    """An array of a file, checked."""
    array = arrays.get(place)
    if array is None or array.shape != leaf.shape:
        shape = None if array is None else list(array.shape)
        raise ArgumentError(
            f"The checkpoint has {shape} for {place}, the agent needs {list(leaf.shape)}: it is of an agent with other "
            "settings; give the same."
        )
    return jnp.asarray(array, leaf.dtype)
