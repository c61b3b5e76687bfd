"""A flow policy at work: the learned velocity, chunks from noise, and the file that holds both.

How it is trained is in `chunkenv.agents.flow_matching`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common import checkpoint_file as checkpoints
from chunkenv.agents.nets import mixer as networks
from chunkenv.agents.nets.mixer import Architecture, Sizes, Weights
from chunkenv.errors import ArgumentError, brief

KIND = "chunkenv flow policy"
LEVELS = 127  # of an 8-bit number to each side of zero
OBSERVATION_BOUND = 8.0  # standard deviations: what lies farther out was not seen in training, and is clipped

Array = Any
"""float32, of numpy or jax."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["weights", "observation_mean", "observation_std"],
    meta_fields=["architecture", "sizes", "steps", "data_std"],
)
@dataclass(frozen=True)
class Denoiser:
    """The learned velocity, as a value that can be handed to a compiled function: two of equal sizes share one.

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
    sizes: Sizes
    steps: int
    data_std: float

    def velocity(self, observations: Array, chunks: Array, time: Any, prefix_length: Array | None = None) -> jax.Array:
        """The derivative of chunks by flow time.

        Args:
            observations: [N, O].
            chunks: [N, H, A].
            time: 0 (noise) to below 1 (data), one for all or [N].
            prefix_length: int[N], how many rows of each chunk are clean; for prefix-conditioned policies only, which
                take None for 0. Clean rows have velocity 0.

        Returns:
            float32[N, H, A].
        """
        clean = self._clean(len(chunks), prefix_length)
        time = jnp.asarray(time, jnp.float32).reshape(-1)
        skip, out, scale = (each[:, None, None] for each in preconditioning(time, self.data_std))
        noisy = chunks * scale if clean is None else jnp.where(clean[..., None] > 0, chunks, chunks * scale)
        seen = ((observations - self.observation_mean) / self.observation_std).clip(
            -OBSERVATION_BOUND, OBSERVATION_BOUND
        )
        learned = networks.apply(self.architecture, self.sizes, self.weights, seen, noisy, time, clean)
        velocity = skip * chunks + out * learned
        return velocity if clean is None else velocity * (1 - clean[..., None])

    def velocity_vjp(
        self, observations: Array, chunks: Array, time: Any
    ) -> tuple[jax.Array, Callable[[Array], jax.Array]]:
        """The velocity, and a function that multiplies [N, H, A] by its transposed Jacobian in `chunks`."""
        velocity, pullback = jax.vjp(lambda given: self.velocity(observations, given, time), jnp.asarray(chunks))
        return velocity, lambda cotangent: pullback(cotangent)[0]

    def _clean(self, count: int, prefix_length: Array | None) -> jax.Array | None:
        """[N, H], 1 for clean rows; None for a plain policy."""
        if not self.sizes.prefix:
            if prefix_length is not None:
                raise ArgumentError("This policy was not trained with a prefix: leave prefix_length out.")
            return None
        lengths = jnp.zeros(count, jnp.int32) if prefix_length is None else jnp.asarray(prefix_length)
        return (jnp.arange(self.sizes.horizon) < lengths[:, None]).astype(jnp.float32)


_velocity = jax.jit(Denoiser.velocity)


def preconditioning(time: Any, data_std: float) -> tuple[Any, Any, Any]:
    """What a chunk is multiplied by in the velocity, what the network's output is, and what its input is.

    The first is the slope of the velocity's best linear guess from a chunk whose data have this standard deviation; the
    second is the standard deviation of what that guess leaves over. Both follow from D(x) = c_skip x + c_out F(x) of
    Karras et al. (2022, table 1), with velocity = (D(x) - x) / (1 - t); the singularity at t = 1 cancels.

    >>> preconditioning(0.0, data_std=0.5)
    (-1.0, 0.5, 1.0)
    """
    noise = 1 - time
    variance = (data_std * time) ** 2 + noise**2
    return (data_std**2 * time - noise) / variance, data_std * variance**-0.5, (time**2 + noise**2) ** -0.5


def euler(denoiser: Any, observations: Array, noise: Array) -> Array:
    """Chunks from noise, [N, H, A]; `denoiser` may be anything with `velocity` and `steps`."""
    chunks = noise
    for step in range(denoiser.steps):
        chunks = chunks + denoiser.velocity(observations, chunks, step / denoiser.steps) / denoiser.steps
    return chunks


@partial(jax.jit, static_argnums=0)
def run(loop: Callable[..., Any], denoiser: Any, *arrays: Array) -> Any:
    """`loop(denoiser, *arrays)`, compiled once for a loop and the shapes of everything else."""
    return loop(denoiser, *arrays)


class FlowPolicy:
    """A policy that draws its chunk from noise: each inference is a new sample, whatever the prefix.

    It is a denoiser, too: execution strategies look into it through `velocity`, `velocity_vjp` and `compile`.

    Args:
        denoiser: the learned velocity.
        action_mean: float32[A], of the actions it learned from.
        action_std: float32[A].
        facts: how it was made: "level", "max_prefix", and whatever else is known.

    Attributes:
        denoiser: the learned velocity.
        level: the Kinetix level, or what else the data were said to be of.
        prediction_horizon: rows in a chunk, H.
        action_size: A.
        observation_size: O, of the compact observation.
        steps: Euler steps from noise to a chunk.
        prefix_conditioned: whether `velocity` takes a prefix.
        max_prefix: the longest prefix of its training; 0 if it takes none.
        flops_per_evaluation: floating point operations of one velocity of one chunk; 2 for a multiply-add.
        facts: how it was made.
    """

    def __init__(
        self, denoiser: Denoiser, action_mean: np.ndarray, action_std: np.ndarray, facts: dict[str, Any]
    ) -> None:
        self.denoiser = denoiser
        self._mean, self._std = action_mean, action_std
        self.facts = facts
        sizes = denoiser.sizes
        self.level = str(facts["level"])
        self.prediction_horizon, self.action_size, self.observation_size = (
            sizes.horizon,
            sizes.action,
            sizes.observation,
        )
        self.steps = denoiser.steps
        self.prefix_conditioned, self.max_prefix = sizes.prefix, int(facts["max_prefix"])
        self.flops_per_evaluation = flops(denoiser.architecture, sizes)
        self._euler = self.compile(euler)

    def velocity(self, observations: Array, chunks: Array, time: Any, prefix_length: Array | None = None) -> jax.Array:
        """As `Denoiser.velocity`, compiled."""
        return _velocity(self.denoiser, observations, chunks, time, prefix_length)

    def velocity_vjp(
        self, observations: Array, chunks: Array, time: Any
    ) -> tuple[jax.Array, Callable[[Array], jax.Array]]:
        """As `Denoiser.velocity_vjp`, compiled."""
        velocity, pullback = jax.vjp(lambda given: _velocity(self.denoiser, observations, given, time), chunks)
        return velocity, lambda cotangent: pullback(cotangent)[0]

    def compile(self, loop: Callable[..., Any]) -> Callable[..., Any]:
        """`loop(denoiser, *arrays)` as a function of numpy arrays that returns new numpy arrays.

        It is compiled once for a loop, the sizes of a network and the shapes of the arrays; policies of equal sizes
        share it, and so do loops that are equal and have equal hashes.
        """
        return lambda *arrays: jax.tree.map(np.array, run(loop, self.denoiser, *arrays))

    def to_network(self, actions: Array) -> Array:
        """Actions [..., A] as the denoiser has them: zero mean, unit variance over its data, channel by channel."""
        return (actions - self._mean) / self._std

    def to_actions(self, chunks: Array) -> Array:
        """The inverse of `to_network`."""
        return chunks * self._std + self._mean

    def infer(self, observation: np.ndarray, request: Any) -> np.ndarray:
        """A chunk for one request.

        Args:
            observation: float32[O].
            request: `chunkenv.Request` with a random stream in `rng`.

        Returns:
            float32[H, A].

        Raises:
            ArgumentError: an observation of another shape, or a request without a stream.
        """
        noise = self._noise(request.rng)
        seen = self._checked(observation, (self.observation_size,))
        return self.to_actions(self._euler(seen[None], noise[None])[0])

    def infer_batch(self, observations: np.ndarray, request: Any) -> np.ndarray:
        """Chunks for N requests; each draws from its own stream, so that it does not depend on the others.

        Args:
            observations: float32[N, O].
            request: `chunkenv.VectorRequest` with N random streams in `rng`.

        Returns:
            float32[N, H, A].

        Raises:
            ArgumentError: observations of another shape, or a request without N streams.
        """
        streams = request.rng if isinstance(request.rng, tuple | list) else [request.rng]
        noise = np.stack([self._noise(rng) for rng in streams])
        return self.to_actions(self._euler(self._checked(observations, (len(noise), self.observation_size)), noise))

    def save(self, path: Path | str, small: bool = False) -> None:
        """Write the policy into one safetensors file, whole or not at all.

        Args:
            path: of the file.
            small: whether to round matrices to 8 bits, with a scale for each column, which quarters the size.
        """
        denoiser = self.denoiser
        weights = {name: np.asarray(value) for name, value in denoiser.weights.items()}
        arrays = _rounded(weights) if small else {f"weights/{name}": value for name, value in weights.items()}
        arrays |= {"observation/mean": denoiser.observation_mean, "observation/std": denoiser.observation_std}
        arrays |= {"action/mean": self._mean, "action/std": self._std}
        facts = {
            "architecture": dataclasses.asdict(denoiser.architecture),
            "sizes": dataclasses.asdict(denoiser.sizes),
            "steps": denoiser.steps,
            "data_std": denoiser.data_std,
            "facts": self.facts,
        }
        checkpoints.write(Path(path), KIND, {name: np.asarray(value) for name, value in arrays.items()}, facts)

    def _noise(self, rng: Any) -> np.ndarray:
        if not isinstance(rng, np.random.Generator):
            raise ArgumentError(
                f"The request has rng={brief(rng)}, but a flow policy draws each chunk; use chunkenv.evaluate, or give "
                "it a stream: request._replace(rng=numpy.random.default_rng(0)); for a batch, a tuple with one a row."
            )
        return rng.standard_normal((self.prediction_horizon, self.action_size), np.float32)

    def _checked(self, observation: Any, shape: tuple[int, ...]) -> np.ndarray:
        array = np.asarray(observation)
        if array.shape != shape or array.dtype.kind != "f":
            raise ArgumentError(
                f"The flow policy of {self.level} was given {array.dtype}{list(array.shape)}, but needs "
                f"float32{list(shape)}; make the environment with observation='compact'."
            )
        return array.astype(np.float32, copy=False)


def load(path: Path | str) -> FlowPolicy:
    """The policy in a file that `FlowPolicy.save` wrote.

    Raises:
        ArgumentError: there is no such file, or it holds something else.
    """
    arrays, record = checkpoints.read(Path(path), KIND)
    denoiser = Denoiser(
        {name: jnp.asarray(value) for name, value in _unrounded(arrays).items()},
        arrays["observation/mean"],
        arrays["observation/std"],
        Architecture(**record["architecture"]),
        Sizes(**record["sizes"]),
        record["steps"],
        record["data_std"],
    )
    return FlowPolicy(denoiser, arrays["action/mean"], arrays["action/std"], record["facts"])


def _rounded(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices as int8 and the scales of their columns; everything else as it is."""
    arrays: dict[str, np.ndarray] = {}
    for name, value in weights.items():
        if value.ndim == 2:
            scale = np.maximum(np.abs(value).max(axis=0), np.finfo(np.float32).tiny) / LEVELS
            arrays[f"scales/{name}"] = scale.astype(np.float32)
            value = np.round(value / scale).astype(np.int8)
        arrays[f"weights/{name}"] = value
    return arrays


def _unrounded(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights by name, float32."""
    named = {name.removeprefix("weights/"): value for name, value in arrays.items() if name.startswith("weights/")}
    return {name: (value * arrays.get(f"scales/{name}", 1)).astype(np.float32) for name, value in named.items()}


@lru_cache
def flops(architecture: Architecture, sizes: Sizes) -> int:
    """Floating point operations of one velocity of one chunk, as XLA counts them before it simplifies."""
    weights = jax.eval_shape(lambda: networks.initial_weights(architecture, sizes, 0))
    mean = jnp.zeros(sizes.observation)
    blank = Denoiser(weights, mean, mean, architecture, sizes, 1, 1.0)
    observation, chunk = jnp.zeros((1, sizes.observation)), jnp.zeros((1, sizes.horizon, sizes.action))
    lowered = jax.jit(Denoiser.velocity).lower(blank, observation, chunk, 0.5)
    return int((lowered.cost_analysis() or {})["flops"])
