"""Multilayer perceptrons as plain lists of arrays: the networks of the Q-chunking family.

GELU between the layers and, for critics, a layer norm after it, as in flow Q-learning (Park et al. 2025, arXiv
2502.02538); or ReLU, after the layer norm, as in RLPD (Ball et al. 2023, arXiv 2302.02948). The input comes in parts
that are joined by adding up what the first layer makes of each: a part that many rows share (an observation, of which N
chunks are asked) goes through it once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

Array: TypeAlias = np.ndarray | jax.Array
"""float32, of NumPy or JAX."""

Layer = dict[str, jax.Array]
"""`kernel` [in, out] and `bias` [out]; where a layer norm follows, its `scale` and `shift` [out], too."""

Layers = list[Layer]
"""The layers of a network, the first one first."""

EPSILON = 1e-6  # of the layer norm's variance
BLOCK = 1024  # rows at a time: what a layer makes of them stays in a core's cache, which is faster by a fifth


def initial(key: jax.Array, sizes: tuple[int, ...], norm: bool = False) -> Layers:
    """Kernels drawn as Glorot and Bengio (2010) do, uniformly; biases zero.

    Args:
        key: of the draws.
        sizes: of the input, the hidden layers and the output.
        norm: whether a layer norm follows each hidden layer.

    >>> [layer["kernel"].shape for layer in initial(jax.random.key(0), (3, 8, 2))]
    [(3, 8), (8, 2)]
    """
    keys = jax.random.split(key, len(sizes) - 1)
    layers = [_layer(key, *pair, norm) for key, pair in zip(keys, pairwise(sizes), strict=True)]
    return [*layers[:-1], {name: layers[-1][name] for name in ("kernel", "bias")}]


def apply(layers: Layers, *parts: Array, dtype: DTypeLike = jnp.float32, activation: str = "gelu") -> jax.Array:
    """The last layer's output, float32[..., out].

    Args:
        layers: as `initial` returns them.
        parts: [..., k_i], whose leading axes broadcast; their k_i add up to the input's size.
        dtype: what factors are rounded to before they are multiplied; sums are float32.
        activation: "gelu", before the layer norm if there is one, or "relu", after it.
    """
    x = _join(layers[0], parts, dtype)
    for layer, after in pairwise(layers):
        x = _dot(_hidden(layer, x, activation), after["kernel"], dtype) + after["bias"]
    return x


def fix_inputs(layers: Layers, *parts: Array) -> Layers:
    """The network with its first inputs fixed, for many calls that share them.

    `apply(fix_inputs(layers, *first), *rest)` is `apply(layers, *first, *rest)`; what the first layer makes
    of the first inputs is computed once.
    """
    first, size = layers[0], sum(part.shape[-1] for part in parts)
    fixed = {"kernel": first["kernel"][size:], "bias": _join(first, parts, jnp.float32)}
    return [{**first, **fixed}, *layers[1:]]


def initial_ensemble(key: jax.Array, count: int, sizes: tuple[int, ...], norm: bool = False) -> Layers:
    """`count` independent networks; each array has an axis of them before its others."""
    return jax.vmap(lambda key: initial(key, sizes, norm))(jax.random.split(key, count))


def apply_ensemble(layers: Layers, *parts: Array, activation: str = "gelu") -> jax.Array:
    """The output of each network, float32[count, ...]; the output of size 1 has no axis of its own."""
    return jax.vmap(lambda member: apply(member, *parts, activation=activation)[..., 0])(layers)


def in_blocks(function: Callable[..., jax.Array], samples: int, *arrays: jax.Array) -> jax.Array:
    """`function(*arrays)` for N samples of each row, block by block if there are many rows, and they divide evenly."""
    count, size = len(arrays[0]), max(BLOCK // samples, 1)
    if count <= size or count % size:
        return function(*arrays)
    blocks = tuple(array.reshape(count // size, size, *array.shape[1:]) for array in arrays)
    results = jax.lax.map(lambda block: function(*block), blocks)
    return results.reshape(count, *results.shape[2:])


def _layer(key: jax.Array, inputs: int, outputs: int, norm: bool) -> Layer:
    layer = {"kernel": jax.nn.initializers.glorot_uniform()(key, (inputs, outputs)), "bias": jnp.zeros(outputs)}
    return layer | {"scale": jnp.ones(outputs), "shift": jnp.zeros(outputs)} if norm else layer


def _join(layer: Layer, parts: tuple[Array, ...], dtype: DTypeLike) -> jax.Array:
    x, start = layer["bias"], 0
    for part in parts:
        stop = start + part.shape[-1]
        if stop > start:
            x = x + _dot(part, layer["kernel"][start:stop], dtype)
        start = stop
    return x


def _hidden(layer: Layer, x: jax.Array, activation: str) -> jax.Array:
    return _normalise(layer, jax.nn.gelu(x)) if activation == "gelu" else jax.nn.relu(_normalise(layer, x))


def _normalise(layer: Layer, x: jax.Array) -> jax.Array:
    """The layer norm, if there is one."""
    if "scale" not in layer:
        return x
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = jax.lax.rsqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    return centred * spread * layer["scale"] + layer["shift"]


def _dot(x: Array, kernel: jax.Array, dtype: DTypeLike) -> jax.Array:
    return jnp.dot(x.astype(dtype), kernel.astype(dtype), preferred_element_type=jnp.float32)
