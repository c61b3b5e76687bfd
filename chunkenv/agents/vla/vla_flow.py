"""The velocity of a vision-language-action model: the backbone sees once, the action expert denoises.

`see` returns the backbone's keys and values, so that whatever execution strategies do with the velocity, and however
many Euler steps there are, the large part runs once for a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.chunk_flow import Flow, clean_rows
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.nets.preconditioned_flow import OBSERVATION_BOUND, preconditioning
from chunkenv.agents.vla.action_expert import initial_expert, run_expert
from chunkenv.agents.vla.backbone import count_seen, embed_seen, initial_backbone, run
from chunkenv.agents.vla.layers import Weights
from chunkenv.agents.vla.vla_settings import CHANNELS, Seen, VLANetworkSize, VLASizes
from chunkenv.errors import ArgumentError


def initial_vla(seed: int, network: VLANetworkSize, sizes: VLASizes) -> Weights:
    """Weights to begin with: "backbone" and "expert"."""
    return _initial(jax.random.key(seed), network, sizes)


@partial(jax.jit, static_argnums=(1, 2))
def _initial(key: jax.Array, network: VLANetworkSize, sizes: VLASizes) -> Weights:
    for_backbone, for_expert = jax.random.split(key)
    return {
        "backbone": initial_backbone(for_backbone, network, sizes),
        "expert": initial_expert(for_expert, network, sizes),
    }


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["weights", "state_mean", "state_std"],
    meta_fields=["network", "sizes", "steps", "prefix"],
)
@dataclass(frozen=True)
class VLAFlow(Flow):
    """The learned velocity as a value; an observation is one vector, see `split_numbers`.

    Attributes:
        weights: "backbone" and "expert".
        state_mean: float32[R].
        state_std: float32[R].
        network: size of both transformers.
        sizes: of what it sees and makes.
        steps: Euler steps from noise to a chunk.
        prefix: whether it was trained to go on from clean rows.
    """

    weights: Weights
    state_mean: Array
    state_std: Array
    network: VLANetworkSize
    sizes: VLASizes
    steps: int
    prefix: bool

    def see(self, observations: Array) -> jax.Array:
        """The backbone's keys and values, float32[N, layers, 2, T, width]."""
        seen = split_numbers(jnp.asarray(observations), self.sizes)
        return see(self.weights["backbone"], self.network, scaled(seen, self.state_mean, self.state_std))

    @property
    def seen(self) -> ExpertFlow:
        """As `Flow.seen`."""
        return ExpertFlow(self.weights["expert"], self.network, self.sizes, self.steps, self.prefix)

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`."""
        return self.seen.velocity(self.see(observations), chunks, time, prefix_length)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["weights"],
    meta_fields=["network", "sizes", "steps", "prefix"],
)
@dataclass(frozen=True)
class ExpertFlow(Flow):
    """A `VLAFlow` without the backbone: for observations it takes keys and values.

    Attributes:
        weights: of the expert.
        network: as in `VLAFlow`, like the others.
        sizes: see above.
        steps: see above.
        prefix: see above.
    """

    weights: Weights
    network: VLANetworkSize
    sizes: VLASizes
    steps: int
    prefix: bool

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`.

        Raises:
            ArgumentError: a prefix, for a model that was trained without.
        """
        if prefix_length is not None and not self.prefix:
            raise ArgumentError("This model was not trained with a prefix: leave prefix_length out.")
        chunks = jnp.asarray(chunks)
        time = jnp.broadcast_to(jnp.asarray(time, jnp.float32).reshape(-1, 1), chunks.shape[:2])
        lengths = jnp.zeros(len(chunks), jnp.int32) if prefix_length is None else jnp.asarray(prefix_length)
        clean = clean_rows(lengths, chunks.shape[1])
        times = jnp.where(clean > 0, 1.0, time)
        skip, out, scale = (each[..., None] for each in preconditioning(times, data_std=1.0))
        learned = run_expert(self.weights, self.network.heads, jnp.asarray(observations), chunks * scale, times)
        return (skip * chunks + out * learned) * (1 - clean[..., None])


@partial(jax.tree_util.register_dataclass, data_fields=["flow"], meta_fields=["weight", "steps"])
@dataclass(frozen=True)
class WordGuidedFlow(Flow):
    """A `VLAFlow` that an instruction pulls further than it learned: CFGRL's guidance (arXiv 2505.23458) by words.

        velocity = without words + weight * (with words - without words)

    Attributes:
        flow: trained with some instructions left out.
        weight: 0 ignores the instruction, 1 is what was learned, more exaggerates it.
        steps: Euler steps.
    """

    flow: VLAFlow
    weight: float
    steps: int

    def see(self, observations: Array) -> jax.Array:
        """Keys and values with the instruction and without it, float32[N, 2, layers, 2, T, width]."""
        told = jnp.asarray(observations)
        untold = told.at[:, self.flow.sizes.numbers - self.flow.sizes.words :].set(0)
        return jnp.stack([self.flow.see(told), self.flow.see(untold)], axis=1)

    @property
    def seen(self) -> GuidedExpertFlow:
        """As `Flow.seen`."""
        return GuidedExpertFlow(self.flow.seen, self.weight, self.steps)

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`."""
        return self.seen.velocity(self.see(observations), chunks, time, prefix_length)


@partial(jax.tree_util.register_dataclass, data_fields=["flow"], meta_fields=["weight", "steps"])
@dataclass(frozen=True)
class GuidedExpertFlow(Flow):
    """A `WordGuidedFlow` without the backbone."""

    flow: ExpertFlow
    weight: float
    steps: int

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`, of both keys and values."""
        told, untold = (self.flow.velocity(observations[:, k], chunks, time, prefix_length) for k in (0, 1))
        return untold + self.weight * (told - untold)


def see(backbone: Weights, network: VLANetworkSize, seen: Seen) -> jax.Array:
    """The backbone's keys and values of what is seen, with its state scaled: float32[N, layers, 2, T, width]."""
    x = embed_seen(backbone, network, seen)
    return run(backbone, network.heads, x, x.shape[1])[1]


def scaled(seen: Seen, mean: Array, std: Array) -> Seen:
    """What is seen, its state in standard deviations from the mean; what lies farther out than 8 is clipped."""
    return seen._replace(state=((seen.state - mean) / std).clip(-OBSERVATION_BOUND, OBSERVATION_BOUND))


def split_numbers(observations: jax.Array, sizes: VLASizes) -> Seen:
    """Observations as vectors [N, numbers]: pixels from 0 to 255, then the state, then the numbers of words."""
    pixels, state, words = jnp.split(
        observations, [sizes.numbers - sizes.words - sizes.state, sizes.numbers - sizes.words], axis=1
    )
    frames = pixels.reshape(len(observations), sizes.image, sizes.image, CHANNELS)
    return Seen(frames, state, words.astype(jnp.int32))


def without_words(seen: Seen, where: Array) -> Seen:
    """What is seen, without its instruction where bool[N] says so."""
    return seen._replace(words=jnp.where(jnp.asarray(where)[:, None], 0, seen.words))


def blank_vla(network: VLANetworkSize, sizes: VLASizes, steps: int = 1) -> VLAFlow:
    """The shapes of a model, without numbers."""
    weights = jax.eval_shape(lambda: initial_vla(0, network, sizes))
    state = jax.ShapeDtypeStruct((sizes.state,), jnp.float32)
    return VLAFlow(weights, state, state, network, sizes, steps, prefix=False)  # pyright: ignore[reportArgumentType]


@lru_cache
def flops_of_seeing(network: VLANetworkSize, sizes: VLASizes) -> int:
    """Floating point operations of what the backbone does once for an observation; 2 for a multiply-add."""
    observation = jax.ShapeDtypeStruct((1, sizes.numbers), jnp.float32)
    return count_flops(VLAFlow.see, blank_vla(network, sizes), observation)


@lru_cache
def flops_of_velocity(network: VLANetworkSize, sizes: VLASizes) -> int:
    """Floating point operations of one velocity of one chunk, given what the backbone has seen."""
    kept = jax.ShapeDtypeStruct((1, network.layers, 2, count_seen(network, sizes), network.width), jnp.float32)
    chunk = jax.ShapeDtypeStruct((1, sizes.horizon, sizes.action), jnp.float32)
    return count_flops(ExpertFlow.velocity, blank_vla(network, sizes).seen, kept, chunk, 0.5)


def count_flops(function: object, *arguments: object) -> int:
    """Floating point operations of a function, as XLA counts them before it simplifies."""
    lowered = jax.jit(function).lower(*arguments)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return int((lowered.cost_analysis() or {})["flops"])
