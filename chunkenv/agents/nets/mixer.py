"""The networks of the flow policy: a residual MLP and an MLP-Mixer, both modulated by flow time.

Both read an observation, a noisy chunk and the flow time, and are made of the same branch: a layer norm without
parameters of its own, shifted and scaled by what the time says (AdaLN), two dense layers, and a gate that the time
sets, too, and that starts at zero (Peebles and Xie 2023, arXiv 2212.09748). The mixer (Tolstikhin et al. 2021, arXiv
2105.01601) takes each row of the chunk for a token, as Real-Time Chunking does (Black et al. 2025, arXiv 2506.07339).

Weights are plain dictionaries of arrays, so that they are cheap to hand to a compiled function and to store.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from chunkenv.agents.nets.mlp import Array
from chunkenv.utils.checks import one_of, whole_number

KINDS = ("mlp", "mixer")
N_FREQUENCIES = 16  # of the Fourier features of time; the highest turns 2**3.75 * pi radians from 0 to 1
N_TOKEN_HIDDEN = 64  # of the mixer's layer across rows, as in Real-Time Chunking
CLEAN_TIME = 1.0  # the flow time of rows that carry no noise
SEE = "see/"  # so begin the names of the weights that read observations

Weights = dict[str, jax.Array]


@dataclass(frozen=True)
class Architecture:
    """Kind and size of a network.

    Attributes:
        kind: "mlp" (the chunk is one vector) or "mixer" (each row is a token).
        width: features of the residual stream; of each token, for the mixer.
        hidden: features between the two dense layers of a branch.
        blocks: how many; a block of the MLP is one branch, of the mixer two (across rows, then across features).
        time_features: of the embedding of flow time.

    Raises:
        ArgumentError: for an invalid kind or number.

    >>> Architecture(width=64).hidden
    384
    """

    kind: str = "mlp"
    width: int = 192
    hidden: int = 384
    blocks: int = 2
    time_features: int = 32

    def __post_init__(self) -> None:
        one_of("kind", self.kind, KINDS)
        for name in ("width", "hidden", "blocks", "time_features"):
            whole_number(name, getattr(self, name), at_least=1)


@dataclass(frozen=True)
class ChunkSizes:
    """What a network reads and writes: O features of an observation, a chunk of H rows of A actions.

    Attributes:
        observation: O.
        horizon: H.
        action: A.
        prefix: whether each row may be clean, with a time of its own.
    """

    observation: int
    horizon: int
    action: int
    prefix: bool = False


class Branch(nnx.Module):
    """`x + gate * dense(gelu(dense(norm(x) * (1 + scale) + shift)))`, along the last axis or across rows."""

    def __init__(self, width: int, hidden: int, rows: int | None, time_features: int, rngs: nnx.Rngs) -> None:
        mixed = rows or width
        self.norm = nnx.LayerNorm(width, use_bias=False, use_scale=False, rngs=rngs)
        self.modulate = _zero_linear(time_features, 3 * width, rngs)
        self.grow = nnx.Linear(mixed, hidden, rngs=rngs)
        self.shrink = nnx.Linear(hidden, mixed, rngs=rngs)
        self.across_rows = rows is not None

    def __call__(self, x: jax.Array, time: Condition) -> jax.Array:
        """`x` [..., width], or [..., rows, width], and what the branch adds to it."""
        shift, scale, gate = jnp.split(time.through(self.modulate), 3, axis=-1)
        mixed = self.norm(x) * (1 + scale) + shift
        mixed = mixed.swapaxes(-1, -2) if self.across_rows else mixed
        mixed = self.shrink(nnx.gelu(self.grow(mixed)))
        return x + gate * (mixed.swapaxes(-1, -2) if self.across_rows else mixed)


class Head(nnx.Module):
    """`dense(norm(x) * (1 + scale) + shift)`, zero at first."""

    def __init__(self, width: int, out: int, time_features: int, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(width, use_bias=False, use_scale=False, rngs=rngs)
        self.modulate = _zero_linear(time_features, 2 * width, rngs)
        self.out = _zero_linear(width, out, rngs)

    def __call__(self, x: jax.Array, time: Condition) -> jax.Array:
        """[..., width] to [..., out]."""
        shift, scale = jnp.split(time.through(self.modulate), 2, axis=-1)
        return self.out(self.norm(x) * (1 + scale) + shift)


@dataclass(frozen=True)
class Condition:
    """The embedded flow time of a batch: `noisy` [N or 1, ..., E], and of clean rows `clean` [E] where `mask` says."""

    noisy: jax.Array
    clean: jax.Array | None = None
    mask: jax.Array | None = None

    def through(self, layer: nnx.Linear) -> jax.Array:
        """What a layer makes of each row's time: computed twice, for clean rows and others, not once a row."""
        if self.clean is None or self.mask is None:
            return layer(self.noisy)
        return jnp.where(self.mask, layer(self.clean), layer(self.noisy))


class TimeEmbedding(nnx.Module):
    """Fourier features of a time in [0, 1], and a dense layer."""

    def __init__(self, features: int, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(2 * N_FREQUENCIES, features, rngs=rngs)

    def __call__(self, time: jax.Array) -> jax.Array:
        """[...] to [..., features]."""
        angles = time[..., None] * jnp.pi * 2.0 ** (jnp.arange(N_FREQUENCIES) / 4)
        return nnx.silu(self.dense(jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)))


class ResidualMLP(nnx.Module):
    """The chunk as one vector; which rows are clean is read beside it."""

    def __init__(self, architecture: Architecture, sizes: ChunkSizes, rngs: nnx.Rngs) -> None:
        a, out = architecture, sizes.horizon * sizes.action
        self.time = TimeEmbedding(a.time_features, rngs)
        self.see = nnx.Linear(sizes.observation, a.width, rngs=rngs)
        self.read = nnx.Linear(out + sizes.horizon * sizes.prefix, a.width, use_bias=False, rngs=rngs)
        self.blocks = nnx.List([Branch(a.width, a.hidden, None, a.time_features, rngs) for _ in range(a.blocks)])
        self.head = Head(a.width, out, a.time_features, rngs)

    def __call__(
        self,
        seen: jax.Array,
        chunks: jax.Array,
        time: jax.Array,
        clean: jax.Array | None,
        times: jax.Array | None = None,
    ) -> jax.Array:
        """As `apply`; the times of the rows follow from the two others."""
        condition = Condition(self.time(time))
        flat = chunks.reshape(len(chunks), -1)
        x = seen + self.read(flat if clean is None else jnp.concatenate([flat, clean], axis=-1))
        for block in self.blocks:
            x = block(x, condition)
        return self.head(x, condition).reshape(chunks.shape)


class Mixer(nnx.Module):
    """Each row of the chunk is a token, which also carries the observation; a clean row has a time of its own."""

    def __init__(self, architecture: Architecture, sizes: ChunkSizes, rngs: nnx.Rngs) -> None:
        a = architecture
        self.time = TimeEmbedding(a.time_features, rngs)
        self.see = nnx.Linear(sizes.observation, a.width, rngs=rngs)
        self.read = nnx.Linear(sizes.action, a.width, use_bias=False, rngs=rngs)
        self.places = nnx.Param(0.02 * jax.random.normal(rngs.params(), (sizes.horizon, a.width)))
        branches = [((N_TOKEN_HIDDEN, sizes.horizon), (a.hidden, None)) for _ in range(a.blocks)]
        self.branches = nnx.List(
            [Branch(a.width, hidden, rows, a.time_features, rngs) for pair in branches for hidden, rows in pair]
        )
        self.head = Head(a.width, sizes.action, a.time_features, rngs)

    def __call__(
        self,
        seen: jax.Array,
        chunks: jax.Array,
        time: jax.Array,
        clean: jax.Array | None,
        times: jax.Array | None = None,
    ) -> jax.Array:
        """As `apply`."""
        condition = self._condition(time, clean) if times is None else Condition(self.time(times))
        x = seen[:, None] + self.read(chunks) + self.places[...]
        for branch in self.branches:
            x = branch(x, condition)
        return self.head(x, condition)

    def _condition(self, time: jax.Array, clean: jax.Array | None) -> Condition:
        noisy = self.time(time)[:, None]
        if clean is None:
            return Condition(noisy)
        return Condition(noisy, self.time(jnp.float32(CLEAN_TIME)), clean[..., None] > 0)


def initial_weights(architecture: Architecture, sizes: ChunkSizes, seed: int) -> Weights:
    """Weights to begin training with, float32, by name; the network's output is zero.

    >>> sorted(initial_weights(Architecture(width=8, hidden=8, blocks=1), ChunkSizes(5, 8, 6), seed=0))[:3]
    ['blocks/0/grow/bias', 'blocks/0/grow/kernel', 'blocks/0/modulate/bias']
    """
    return _initial(architecture, sizes, jax.random.key(seed))


@partial(jax.jit, static_argnums=(0, 1))
def _initial(architecture: Architecture, sizes: ChunkSizes, key: jax.Array) -> Weights:
    _, state = nnx.split(_build(architecture, sizes, nnx.Rngs(key)))
    return {_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}


def apply(
    architecture: Architecture,
    sizes: ChunkSizes,
    weights: Weights,
    observations: Array,
    chunks: Array,
    time: jax.Array,
    clean: jax.Array | None = None,
    times: jax.Array | None = None,
) -> jax.Array:
    """The network's output.

    Args:
        architecture: kind and size.
        sizes: O, H and A.
        weights: as `initial_weights` names them.
        observations: [N, O], about unit variance.
        chunks: [N, H, A], about unit variance.
        time: [N], or [1] for all; 0 noise, 1 data.
        clean: [N, H], 1 for rows without noise, else 0, or between for rows given in part; given if and only if
            `sizes.prefix`.
        times: [N, H], where rows are given in part: the flow time of each.

    Returns:
        float32[N, H, A].
    """
    seen = see(architecture, sizes, weights, observations)
    return apply_seen(architecture, sizes, weights, seen, chunks, time, clean, times)


def see(architecture: Architecture, sizes: ChunkSizes, weights: Weights, observations: Array) -> jax.Array:
    """What the network makes of observations before it looks at chunks, float32[N, width]; see `apply`."""
    return _network(architecture, sizes, weights).see(jnp.asarray(observations))


def apply_seen(
    architecture: Architecture,
    sizes: ChunkSizes,
    weights: Weights,
    seen: Array,
    chunks: Array,
    time: jax.Array,
    clean: jax.Array | None = None,
    times: jax.Array | None = None,
) -> jax.Array:
    """As `apply`, of what `see` returned; weights whose names begin with `SEE` may be missing, and O is not used."""
    network = _network(architecture, sizes, weights)
    return network(jnp.asarray(seen), jnp.asarray(chunks), time, clean, times)


def _network(architecture: Architecture, sizes: ChunkSizes, weights: Weights) -> ResidualMLP | Mixer:
    """A network with its weights; a layer whose weights are missing cannot be used."""
    graph, structure, names = _skeleton(architecture, sizes)
    state = jax.tree.unflatten(structure, [weights.get(name) for name in names])
    return nnx.merge(graph, state)


def _build(architecture: Architecture, sizes: ChunkSizes, rngs: nnx.Rngs) -> ResidualMLP | Mixer:
    network = {"mlp": ResidualMLP, "mixer": Mixer}[architecture.kind]
    return network(architecture, sizes, rngs)


@lru_cache
def _skeleton(architecture: Architecture, sizes: ChunkSizes) -> tuple[Any, Any, tuple[str, ...]]:
    """A network without its weights: its graph, how they nest in it, and their names in that order."""
    graph, state = nnx.split(nnx.eval_shape(lambda: _build(architecture, sizes, nnx.Rngs(0))))
    names = tuple(_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(state))
    return graph, jax.tree.structure(state), names


def _name(path: tuple[Any, ...]) -> str:
    keys = (getattr(key, "key", getattr(key, "name", getattr(key, "idx", None))) for key in path)
    return "/".join(str(key) for key in keys if key not in (None, "value"))


def _zero_linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(inputs, outputs, kernel_init=nnx.initializers.zeros_init(), rngs=rngs)
