"""Chunks said token by token: each takes a pass of the backbone, which remembers the keys and values of all before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.action_tokens import VALUES, ActionTokens, action_tokens
from chunkenv.agents.vla.backbone import (
    KEYS,
    VALUES_SEEN,
    count_seen,
    embed_said,
    go_on,
    logits,
    project,
)
from chunkenv.agents.vla.insulation import beginning
from chunkenv.agents.vla.layers import Weights, attend, normalise
from chunkenv.agents.vla.vla_flow import VLAFlow, blank_vla, count_flops
from chunkenv.agents.vla.vla_settings import VLANetworkSize, VLASizes


class Saying(NamedTuple):
    """What is said so far.

    Attributes:
        number: of tokens.
        last: int32[N], the newest entry of the table.
        kept: float32[N, layers, 2, T + K, width], keys and values, zero behind the newest.
        tokens: int32[N, K], those of actions; the end, or 0, behind the newest.
        over: bool[N], where nothing more counts.
    """

    number: jax.Array
    last: jax.Array
    kept: jax.Array
    tokens: jax.Array
    over: jax.Array


@partial(jax.jit, static_argnums=3)
def say_chunks(flow: VLAFlow, observations: Array, seeds: Array, temperature: float) -> tuple[jax.Array, jax.Array]:
    """Chunks [N, H, A] of actions from -1 to 1, and how many tokens were said for them.

    Args:
        flow: the model; its expert is not used.
        observations: [N, numbers].
        seeds: uint32[N], of the draws of each.
        temperature: 0 says the likeliest token; 1 draws each as likely as the model holds it.
    """
    sizes, tokens = flow.sizes, action_tokens(flow.network.tokens, flow.sizes.horizon, flow.sizes.action)
    count, room = len(observations), sizes.chunk_tokens
    kept = jnp.pad(flow.see(observations), [(0, 0)] * 3 + [(0, room), (0, 0)])
    start = Saying(
        jnp.int32(0),
        jnp.full(count, beginning(sizes), jnp.int32),
        kept,
        jnp.zeros((count, room), jnp.int32),
        jnp.zeros(count, bool),
    )
    said = jax.lax.while_loop(
        lambda saying: (saying.number < room) & ~saying.over.all(),
        lambda saying: _say_one(flow, tokens, saying, seeds, temperature),
        start,
    )
    return tokens.decode(said.tokens), said.number


def _say_one(flow: VLAFlow, tokens: ActionTokens, saying: Saying, seeds: Array, temperature: float) -> Saying:
    sizes, backbone = flow.sizes, flow.weights["backbone"]
    place = count_seen(flow.network, sizes) + saying.number
    last, kept = next_vector(backbone, flow.network.heads, saying.last, saying.kept, place)
    likely = logits(backbone, last)[:, sizes.vocabulary : sizes.vocabulary + VALUES]
    token = _choose(likely, seeds, saying.number, temperature)
    token = token if tokens.end is None else jnp.where(saying.over, tokens.end, token)
    over = saying.over if tokens.end is None else saying.over | (token == tokens.end)
    said = saying.tokens.at[:, saying.number].set(token)
    return Saying(saying.number + 1, sizes.vocabulary + token, kept, said, over)


def _choose(likely: jax.Array, seeds: Array, count: jax.Array, temperature: float) -> jax.Array:
    """A token for each row, int32[N], drawn from a stream of its own."""
    if not temperature:
        return likely.argmax(axis=-1).astype(jnp.int32)

    def draw(seed: jax.Array, row: jax.Array) -> jax.Array:
        return jax.random.categorical(jax.random.fold_in(jax.random.key(seed), count), row / temperature)

    return jax.vmap(draw)(jnp.asarray(seeds), likely).astype(jnp.int32)


def next_vector(
    backbone: Weights, heads: int, entries: jax.Array, kept: jax.Array, place: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The last vector [N, width] of entries of the table, int[N], and keys and values with theirs.

    Args:
        backbone: the weights.
        heads: of attention.
        entries: what is said at the place.
        kept: [N, layers, 2, all places, width].
        place: behind all that is seen and was said.
    """
    x = embed_said(backbone, entries[:, None], place)  # pyright: ignore[reportArgumentType]
    before = jnp.arange(kept.shape[3]) <= place
    for number, layer in enumerate(backbone["layers"]):
        queries, keys, values = project(layer, x)
        kept = jax.lax.dynamic_update_slice(kept, jnp.stack([keys, values], axis=1)[:, None], (0, number, 0, place, 0))
        found = attend(queries, kept[:, number, KEYS], kept[:, number, VALUES_SEEN], heads, before[None])
        x = go_on(layer, x, found)
    return (normalise(x) * backbone["scale"])[:, 0], kept


@dataclass(frozen=True)
class _OneToken:
    """What is computed for a token, as a function that can be counted."""

    heads: int

    def __call__(self, backbone: Weights, entries: jax.Array, kept: jax.Array, place: jax.Array) -> jax.Array:
        return logits(backbone, next_vector(backbone, self.heads, entries, kept, place)[0])


@lru_cache
def flops_of_token(network: VLANetworkSize, sizes: VLASizes) -> int:
    """Floating point operations of one more token of one chunk; 2 for a multiply-add."""
    places = count_seen(network, sizes) + sizes.chunk_tokens
    kept = jax.ShapeDtypeStruct((1, network.layers, 2, places, network.width), jnp.float32)
    one = jax.ShapeDtypeStruct((1,), jnp.int32)
    place = jax.ShapeDtypeStruct((), jnp.int32)
    return count_flops(_OneToken(network.heads), blank_vla(network, sizes).weights["backbone"], one, kept, place)
