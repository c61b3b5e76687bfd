"""A policy that draws its chunks from noise along a flow, and that execution strategies can look into."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from chunkenv.agents.nets.chunk_flow import Flow, sample_chunks
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.policies.streams import checked_streams
from chunkenv.request import Request, VectorRequest
from chunkenv.utils.blocks import in_blocks
from chunkenv.utils.euler import PlainEuler


class FlowSampler:
    """Each inference is a new sample, whatever the prefix; strategies guide it through `velocity` and `compile`.

    Args:
        flow: the learned velocity.
        prediction_horizon: see below.
        action_size: see below.
        max_prefix: see below.
        prefix_conditioned: see below.

    Attributes:
        flow: the learned velocity.
        prediction_horizon: rows in a chunk, H.
        action_size: A.
        steps: Euler steps from noise to a chunk.
        max_prefix: the longest prefix of its training; 0 if it takes none.
        prefix_conditioned: whether `velocity` takes a prefix.
    """

    def __init__(
        self, flow: Flow, prediction_horizon: int, action_size: int, max_prefix: int, prefix_conditioned: bool
    ) -> None:
        self.flow, self._seen, self.steps = flow, flow.seen, flow.steps
        self.prediction_horizon, self.action_size = prediction_horizon, action_size
        self.max_prefix, self.prefix_conditioned = max_prefix, prefix_conditioned
        self._sample = self.compile(PlainEuler(self.steps))

    def velocity(
        self, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `Flow.velocity`, compiled."""
        return _velocity(self.flow, observations, chunks, time, prefix_length)

    def velocity_vjp(
        self, observations: Array, chunks: Array, time: Array | float
    ) -> tuple[jax.Array, Callable[[Array], jax.Array]]:
        """As `Flow.velocity_vjp`, compiled."""
        velocity, pullback = jax.vjp(lambda given: _velocity(self.flow, observations, given, time, None), chunks)
        return velocity, lambda cotangent: pullback(cotangent)[0]

    def observation_jvp(
        self, observations: np.ndarray, noise: np.ndarray, directions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Chunks from noise, as actions, and their derivatives in directions of the observations.

        Args:
            observations: float32[N, O].
            noise: float32[N, H, A].
            directions: float32[N, O]; the derivative is in proportion to their length.

        Returns:
            Two arrays float32[N, H, A].
        """
        seen, turned = _see_jvp(self.flow, observations, directions)
        chunks, change = _sample_jvp(self._seen, seen, jnp.asarray(noise), turned)
        origin = self.to_actions(np.zeros_like(change))  # to_actions is a scale and a shift
        return np.asarray(self.to_actions(chunks)), np.asarray(self.to_actions(change) - origin)

    def compile(self, loop: Callable[..., Any]) -> Callable[..., Any]:
        """`loop(flow, observations, *arrays)` as a function of NumPy arrays that returns new NumPy arrays.

        The loop is given what the flow has seen in the observations, for its velocities. It is compiled once for a
        loop, the sizes of a network and the shapes of the arrays; policies of equal sizes share it, whatever the size
        of their observations, and so do loops that are equal and have equal hashes.
        """
        return lambda observations, *arrays: jax.tree.map(
            np.array, _run(loop, self._seen, _see(self.flow, observations), *arrays)
        )

    def to_network(self, actions: Array) -> Array:
        """Actions [..., A] as the flow has them."""
        return actions

    def to_actions(self, chunks: Array) -> Array:
        """The inverse of `to_network`."""
        return chunks

    def infer(self, observation: np.ndarray, request: Request) -> np.ndarray:
        """A chunk for one request.

        Args:
            observation: float32[O].
            request: with a random stream in `rng`.

        Returns:
            float32[H, A].

        Raises:
            ArgumentError: an observation of another shape, or a request without a stream.
        """
        noise = self._draw_noise(request.rng)
        return self._chunks(self._checked(observation, ())[None], noise)[0]

    def infer_batch(self, observations: np.ndarray, request: VectorRequest) -> np.ndarray:
        """Chunks for N requests; each draws from its own stream, so that it does not depend on the others.

        Args:
            observations: float32[N, O].
            request: with N random streams in `rng`.

        Returns:
            float32[N, H, A].

        Raises:
            ArgumentError: observations of another shape, or a request without N streams.
        """
        noise = self._draw_noise(request.rng)
        return self._chunks(self._checked(observations, noise.shape[:1]), noise, request.playing)

    def _draw_noise(self, rng: object) -> np.ndarray:
        """Of each stream so many chunks' noise as it stands there in a row: one draw is as good as many."""
        shape = (self.prediction_horizon, self.action_size)
        counted = [(stream, len(list(same))) for stream, same in groupby(checked_streams(rng, "a flow policy"))]
        return np.concatenate([stream.standard_normal((count, *shape), np.float32) for stream, count in counted])

    def _checked(self, observations: np.ndarray, count: tuple[int, ...]) -> np.ndarray:
        """Observations [*count, O] as float32."""
        return np.asarray(observations, np.float32)

    def _chunks(
        self, observations: np.ndarray, noise: np.ndarray, wanted: NDArray[np.bool_] | None = None
    ) -> np.ndarray:
        return np.asarray(self.to_actions(in_blocks(self._sample, wanted, observations, noise)))


@jax.jit
def _velocity(
    flow: Flow, observations: Array, chunks: Array, time: Array | float, prefix_length: Array | None
) -> jax.Array:
    return flow.velocity(observations, chunks, time, prefix_length)


@jax.jit
def _see(flow: Flow, observations: Array) -> jax.Array:
    return flow.see(observations)


@jax.jit
def _see_jvp(flow: Flow, observations: Array, directions: Array) -> tuple[jax.Array, jax.Array]:
    return jax.jvp(flow.see, (observations,), (directions,))


@jax.jit
def _sample_jvp(flow: Flow, seen: jax.Array, noise: jax.Array, directions: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.jvp(lambda given: sample_chunks(flow, given, noise), (seen,), (directions,))


@partial(jax.jit, static_argnums=0)
def _run(loop: Callable[..., Any], flow: Flow, *arrays: Array) -> Any:
    """`loop(flow, *arrays)`, compiled once for a loop and the shapes of everything else."""
    return loop(flow, *arrays)
