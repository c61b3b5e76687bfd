"""The backbone: a transformer over pieces of a frame, robot state and words, and the tokens that it says.

What is seen stands first, and every vector of it sees all others. What is said stands behind it: each token sees what
is seen and the tokens before it. Words and tokens of actions share one table, which is also what the last vectors are
compared with (tied embeddings):

    0 .. vocabulary - 1      words, see `WordTokens`
    vocabulary ..            tokens of actions, 256 values
    last                     the beginning of what is said
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.action_tokens import VALUES
from chunkenv.agents.vla.layers import (
    ATTENTION,
    Weights,
    attend,
    dense,
    feed_forward,
    initial_attention,
    initial_dense,
    initial_feed_forward,
    normalise,
)
from chunkenv.agents.vla.vla_settings import CHANNELS, Seen, VLANetworkSize, VLASizes
from chunkenv.errors import ArgumentError

KEYS, VALUES_SEEN = 0, 1
"""Where they stand in what `see` returns, [N, layers, 2, T, width]."""


def count_seen(network: VLANetworkSize, sizes: VLASizes) -> int:
    """Vectors of what is seen, T: one for each piece of the frame, one for the state, one for each word.

    Raises:
        ArgumentError: pieces do not fill the frame.
    """
    if sizes.image % network.patch:
        raise ArgumentError(
            f"image_size={sizes.image} is no multiple of patch={network.patch}; choose a patch that divides it."
        )
    return (sizes.image // network.patch) ** 2 + (sizes.state > 0) + sizes.words


def count_entries(sizes: VLASizes) -> int:
    """Rows of the table of words and tokens."""
    return sizes.vocabulary + VALUES + 1


def initial_backbone(key: jax.Array, network: VLANetworkSize, sizes: VLASizes) -> Weights:
    """Weights to begin with."""
    for_patch, for_state, for_table, for_places, for_layers = jax.random.split(key, 5)
    width, places = network.width, count_seen(network, sizes) + 1 + sizes.chunk_tokens
    reading: Weights = {}
    if sizes.image:
        reading["patch"] = initial_dense(for_patch, CHANNELS * network.patch**2, width)
    if sizes.state:
        reading["state"] = initial_dense(for_state, sizes.state, width)
    return reading | {
        "embed": jax.random.normal(for_table, (count_entries(sizes), width)) / width**0.5,
        "places_embed": 0.1 * jax.random.normal(for_places, (places, width)),
        "scale": jnp.ones(width),
        "layers": [_initial_layer(each, width) for each in jax.random.split(for_layers, network.layers)],
    }


def embed_seen(weights: Weights, network: VLANetworkSize, seen: Seen) -> jax.Array:
    """The first vectors of what is seen, [N, T, width], with their places."""
    parts = [weights["embed"][seen.words]]
    if seen.state.shape[1]:
        parts.insert(0, dense(weights["state"], seen.state)[:, None])
    if seen.pixels.shape[1]:
        parts.insert(0, dense(weights["patch"], cut_in_pieces(seen.pixels, network.patch)))
    x = jnp.concatenate(parts, axis=1)
    return x + weights["places_embed"][: x.shape[1]]


def cut_in_pieces(pixels: Array, patch: int) -> jax.Array:
    """Frames [N, S, S, 3] from 0 to 255 as pieces [N, (S / patch)^2, 3 patch^2] from -1 to 1, row by row."""
    count, size = pixels.shape[:2]
    side = size // patch
    pieces = jnp.asarray(pixels, jnp.float32).reshape(count, side, patch, side, patch, CHANNELS)
    return pieces.transpose(0, 1, 3, 2, 4, 5).reshape(count, side**2, -1) / 127.5 - 1


def embed_said(weights: Weights, tokens: Array, first: int) -> jax.Array:
    """The first vectors of tokens [N, K] that stand at the places from `first` on."""
    places = jax.lax.dynamic_slice_in_dim(weights["places_embed"], first, tokens.shape[1])
    return weights["embed"][tokens] + places


def run(weights: Weights, heads: int, x: jax.Array, seen: int) -> tuple[jax.Array, jax.Array]:
    """All layers, of which the first `seen` vectors are what is seen, and the others are said.

    Args:
        weights: of the backbone.
        heads: of attention.
        x: [N, T + K, width].
        seen: T.

    Returns:
        The last vectors [N, T + K, width], normalised; and keys and values [N, layers, 2, T + K, width].
    """
    mask, kept = sight(x.shape[1], seen), []
    for layer in weights["layers"]:
        queries, keys, values = project(layer, x)
        kept.append(jnp.stack([keys, values], axis=1))
        x = go_on(layer, x, attend(queries, keys, values, heads, mask))
    return normalise(x) * weights["scale"], jnp.stack(kept, axis=1)


def sight(count: int, seen: int) -> jax.Array:
    """Which vectors each sees, bool[count, count]: all that is seen, and of what is said what came before.

    >>> sight(3, seen=1).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    >>> sight(3, seen=2).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    """
    place = jnp.arange(count)
    return (place < seen) | (place <= place[:, None])


def project(layer: Weights, x: jax.Array) -> list[jax.Array]:
    """Queries, keys and values of vectors, each [N, T, width]."""
    given = normalise(x) * layer["attention_scale"]
    return [dense(layer["attention"][name], given) for name in ATTENTION]


def go_on(layer: Weights, x: jax.Array, found: jax.Array) -> jax.Array:
    """The vectors after a layer, given what its attention has found."""
    x = x + dense(layer["attention"]["out"], found)
    return x + feed_forward(layer["feed_forward"], normalise(x) * layer["feed_forward_scale"])


def logits(weights: Weights, last: jax.Array) -> jax.Array:
    """How likely each entry of the table comes next, [..., entries], given the last vectors [..., width]."""
    return last @ weights["embed"].T


def _initial_layer(key: jax.Array, width: int) -> Weights:
    for_attention, for_feed_forward = jax.random.split(key)
    return {
        "attention": initial_attention(for_attention, width, width),
        "attention_scale": jnp.ones(width),
        "feed_forward": initial_feed_forward(for_feed_forward, width),
        "feed_forward_scale": jnp.ones(width),
    }
