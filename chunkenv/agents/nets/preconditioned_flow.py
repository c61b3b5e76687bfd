"""The flow of a flow policy: a residual MLP or an MLP-Mixer (`mixer`), preconditioned, over normalised observations.

The velocity is preconditioned as Karras et al. (2022, arXiv 2206.00364) do for diffusion: the network learns what the
best linear guess leaves over, so that it need not carry the noise through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp

from chunkenv.agents.nets import mixer
from chunkenv.agents.nets.chunk_flow import Flow, clean_rows, row_times
from chunkenv.agents.nets.mixer import Architecture, ChunkSizes, Weights
from chunkenv.agents.nets.mlp import Array
from chunkenv.errors import ArgumentError

OBSERVATION_BOUND = 8.0  # standard deviations: what lies farther out was not seen in training, and is clipped


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["weights", "observation_mean", "observation_std"],
    meta_fields=["architecture", "sizes", "steps", "data_std"],
)
@dataclass(frozen=True)
class PreconditionedFlow(Flow):
    """The learned velocity, as a value: two of equal sizes share what is compiled for one.

    Chunks are in the network's space: see `FlowPolicy.to_network`.

    Attributes:
        weights: of the network, by name.
        observation_mean: float32[O].
        observation_std: float32[O].
        architecture: of the network.
        sizes: O, H and A.
        steps: Euler steps that it is meant for.
        data_std: see `FlowSettings`.
    """

    weights: Weights
    observation_mean: Array
    observation_std: Array
    architecture: Architecture
    sizes: ChunkSizes
    steps: int
    data_std: float

    def velocity(
        self,
        observations: Array,
        chunks: Array,
        time: Array | float,
        prefix_length: Array | None = None,
        prefix_weights: Array | None = None,
    ) -> jax.Array:
        """As `Flow.velocity`; only a prefix-conditioned flow takes one of the last two.

        With `prefix_weights`, [N, H] in [0, 1], in place of `prefix_length`: row i begins at a flow time of this weight
        (1 is clean), and the velocity is the derivative by the row's own time.
        """
        return self.seen.velocity(self.see(observations), chunks, time, prefix_length, prefix_weights)

    def see(self, observations: Array) -> jax.Array:
        """As `Flow.see`: the network's first layer, float32[N, width]."""
        bounds = -OBSERVATION_BOUND, OBSERVATION_BOUND
        normalised = ((observations - self.observation_mean) / self.observation_std).clip(*bounds)
        return mixer.see(self.architecture, self.sizes, self.weights, normalised)

    @property
    def seen(self) -> SeenFlow:
        """As `Flow.seen`: one of the same size for observations of any size."""
        others = {name: value for name, value in self.weights.items() if not name.startswith(mixer.SEE)}
        return SeenFlow(others, self.architecture, replace(self.sizes, observation=1), self.steps, self.data_std)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["weights"],
    meta_fields=["architecture", "sizes", "steps", "data_std"],
)
@dataclass(frozen=True)
class SeenFlow(Flow):
    """A `PreconditionedFlow` without its first layer: it takes what that made of observations for observations.

    Attributes:
        weights: of the rest of the network, by name.
        architecture: of the network.
        sizes: H and A; O is 1, whatever it is.
        steps: Euler steps that it is meant for.
        data_std: see `FlowSettings`.
    """

    weights: Weights
    architecture: Architecture
    sizes: ChunkSizes
    steps: int
    data_std: float

    def velocity(
        self,
        observations: Array,
        chunks: Array,
        time: Array | float,
        prefix_length: Array | None = None,
        prefix_weights: Array | None = None,
    ) -> jax.Array:
        """As `PreconditionedFlow.velocity`; observations are what `PreconditionedFlow.see` returned."""
        time = jnp.asarray(time, jnp.float32).reshape(-1)
        if prefix_weights is not None:
            return self._soft_velocity(observations, chunks, time, jnp.asarray(prefix_weights))
        clean = self._clean(len(chunks), prefix_length)
        skip, out, scale = (each[:, None, None] for each in preconditioning(time, self.data_std))
        noisy = chunks * scale if clean is None else jnp.where(clean[..., None] > 0, chunks, chunks * scale)
        learned = self._network(observations, noisy, time, clean)
        velocity = skip * chunks + out * learned
        return velocity if clean is None else velocity * (1 - clean[..., None])

    def _soft_velocity(self, observations: Array, chunks: Array, time: jax.Array, weights: jax.Array) -> jax.Array:
        times = row_times(time, weights)
        skip, out, scale = (each[..., None] for each in preconditioning(times, self.data_std))
        learned = self._network(observations, chunks * scale, time, self._expect_prefix(weights), times)
        return (skip * chunks + out * learned) * (weights[..., None] < 1)

    def _network(
        self,
        seen: Array,
        noisy: Array,
        time: jax.Array,
        clean: jax.Array | None,
        times: jax.Array | None = None,
    ) -> jax.Array:
        return mixer.apply_seen(self.architecture, self.sizes, self.weights, seen, noisy, time, clean, times)

    def _clean(self, count: int, prefix_length: Array | None) -> jax.Array | None:
        """[N, H], 1 for clean rows; None for a plain policy."""
        if not self.sizes.prefix and prefix_length is None:
            return None
        lengths = jnp.zeros(count, jnp.int32) if prefix_length is None else jnp.asarray(prefix_length)
        return self._expect_prefix(clean_rows(lengths, self.sizes.horizon))

    def _expect_prefix(self, clean: jax.Array) -> jax.Array:
        """The same rows, if the flow takes a prefix; else an error."""
        if not self.sizes.prefix:
            raise ArgumentError("This policy was not trained with a prefix: leave prefix_length or prefix_weights out.")
        return clean


def preconditioning(time: jax.Array, data_std: float) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The factors of a chunk in the velocity, of the network's output, and of its input.

    The first is the slope of the velocity's best linear guess from a chunk whose data have this standard deviation; the
    second is the standard deviation of what that guess leaves over. Both follow from D(x) = c_skip x + c_out F(x) of
    Karras et al. (2022, table 1), with velocity = (D(x) - x) / (1 - t); the singularity at t = 1 cancels.

    >>> preconditioning(0.0, data_std=0.5)
    (-1.0, 0.5, 1.0)
    """
    noise = 1 - time
    variance = (data_std * time) ** 2 + noise**2
    return (data_std**2 * time - noise) / variance, data_std * variance**-0.5, (time**2 + noise**2) ** -0.5


@lru_cache
def flops(architecture: Architecture, sizes: ChunkSizes) -> int:
    """Floating point operations of one velocity of one chunk, as XLA counts them before it simplifies."""
    weights = jax.eval_shape(lambda: mixer.initial_weights(architecture, sizes, 0))
    mean = jnp.zeros(sizes.observation)
    blank = PreconditionedFlow(weights, mean, mean, architecture, sizes, 1, 1.0)
    observation, chunk = jnp.zeros((1, sizes.observation)), jnp.zeros((1, sizes.horizon, sizes.action))
    lowered = jax.jit(PreconditionedFlow.velocity).lower(blank, observation, chunk, 0.5)
    return int((lowered.cost_analysis() or {})["flops"])
