"""The flow inside an agent of the Q-chunking family, as a flow policy that execution strategies can look into.

`BestOf(RTC(BehaviourPolicy(agent)), values=chunk_values(agent))` is Q-chunking whose candidates are all inpainted
around what is left of the previous chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common import learner as learning
from chunkenv.agents.nets import chunk_flow as behaviour
from chunkenv.agents.nets import mlp as perceptron
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.agents.nets.mlp import Layers
from chunkenv.agents.policies.flow_policy import euler, run
from chunkenv.data.horizons import Horizons
from chunkenv.errors import ArgumentError, brief


@partial(jax.tree_util.register_dataclass, data_fields=["layers"], meta_fields=["sizes", "horizons", "steps"])
@dataclass(frozen=True)
class Flow:
    """The learned velocity, as a value that can be handed to a compiled function.

    Attributes:
        layers: of the network.
        sizes: O and A.
        horizons: H and the longest prefix.
        steps: Euler steps.
    """

    layers: Layers
    sizes: Sizes
    horizons: Horizons
    steps: int

    def velocity(self, observations: Any, chunks: Any, time: Any, prefix_length: Any = None) -> jax.Array:
        """The derivative of chunks [N, H, A] by flow time.

        Args:
            observations: [N, O].
            chunks: [N, H, A].
            time: 0 (noise) to below 1 (data), one for all.
            prefix_length: int[N], how many rows of each chunk are clean; their velocity is 0. None for none.
        """
        count, horizon, _ = chunks.shape
        lengths = jnp.zeros(count, jnp.int32) if prefix_length is None else jnp.asarray(prefix_length)
        clean = behaviour.clean_rows(lengths, self.horizons)
        times = jnp.full((count, 1), time, jnp.float32)
        flat = perceptron.apply(self.layers, observations, chunks.reshape(count, -1), clean, times)
        return flat.reshape(chunks.shape) * (1 - behaviour.padded(clean, horizon))[..., None]

    def velocity_vjp(self, observations: Any, chunks: Any, time: Any) -> tuple[jax.Array, Callable[[Any], jax.Array]]:
        """The velocity, and a function that multiplies [N, H, A] by its transposed Jacobian in `chunks`."""
        velocity, pullback = jax.vjp(lambda given: self.velocity(observations, given, time), jnp.asarray(chunks))
        return velocity, lambda cotangent: pullback(cotangent)[0]


class BehaviourPolicy:
    """What the data do, as the agent learned it: a policy that draws its chunk from noise, whatever its critics say.

    Args:
        agent: one with a flow, of `chunkenv.agents.registry`.

    Attributes:
        prediction_horizon: rows in a chunk, H.
        action_size: A.
        steps: Euler steps from noise to a chunk.
        prefix_conditioned: whether the agent sees its prefix.
        max_prefix: its delay, or 0.

    Raises:
        ArgumentError: the agent has no flow.
    """

    def __init__(self, agent: Any) -> None:
        if "flow" not in agent.params:
            raise ArgumentError(
                f"{agent.name} has no flow, but {sorted(agent.params)}; give a qc, qc-fql or dqc agent."
            )
        settings = agent.settings
        self._flow = Flow(agent.params["flow"], agent.sizes, settings.horizons, settings.steps)
        self.prediction_horizon: int = settings.horizons.prediction_horizon
        self.action_size: int = agent.sizes.action
        self.steps: int = settings.steps
        self.max_prefix = behaviour.flags(settings.horizons)
        self.prefix_conditioned = self.max_prefix > 0
        self._euler = self.compile(euler)

    def velocity(self, observations: Any, chunks: Any, time: Any, prefix_length: Any = None) -> jax.Array:
        """As `Flow.velocity`."""
        return self._flow.velocity(observations, chunks, time, prefix_length)

    def velocity_vjp(self, observations: Any, chunks: Any, time: Any) -> tuple[jax.Array, Callable[[Any], jax.Array]]:
        """As `Flow.velocity_vjp`."""
        return self._flow.velocity_vjp(observations, chunks, time)

    def compile(self, loop: Callable[..., Any]) -> Callable[..., Any]:
        """`loop(denoiser, *arrays)` as a function of numpy arrays that returns new numpy arrays."""
        return lambda *arrays: jax.tree.map(np.array, run(loop, self._flow, *arrays))

    def to_network(self, actions: Any) -> Any:
        """Actions as they are: they lie in [-1, 1]."""
        return actions

    def to_actions(self, chunks: Any) -> Any:
        """Chunks within [-1, 1]."""
        return np.clip(chunks, -1, 1)

    def infer(self, observation: np.ndarray, request: Any) -> np.ndarray:
        """A chunk for one request with a random stream in `rng`, float32[H, A]."""
        return self._drawn(np.asarray(observation, np.float32)[None], [request.rng])[0]

    def infer_batch(self, observations: np.ndarray, request: Any) -> np.ndarray:
        """Chunks for N requests with N random streams in `rng`, float32[N, H, A]; none depends on the others."""
        return self._drawn(np.asarray(observations, np.float32), list(request.rng))

    def _drawn(self, observations: np.ndarray, streams: list[Any]) -> np.ndarray:
        if not all(isinstance(rng, np.random.Generator) for rng in streams):
            raise ArgumentError(
                f"The request has rng={brief(streams[0])}, but a flow draws each chunk; use chunkenv.evaluate, or give "
                "it a stream: request._replace(rng=numpy.random.default_rng(0))."
            )
        shape = (self.prediction_horizon, self.action_size)
        noise = np.stack([rng.standard_normal(shape, np.float32) for rng in streams])
        return self.to_actions(self._euler(observations, noise))


def chunk_values(agent: Any) -> Callable[[Any, Any], np.ndarray]:
    """What an agent's critics give for chunks, on average over them.

    Args:
        agent: a qc or qc-fql agent.

    Returns:
        A function of observations [N, O] and chunks [N, H, A] that returns float32[N].
    """
    return lambda observations, chunks: np.asarray(_mean_value(agent, observations, chunks))


@jax.jit
def _mean_value(agent: Any, observations: Any, chunks: Any) -> jax.Array:
    seen = chunks[:, agent.settings.horizons.seen]
    return learning.values(agent.params["critics"], observations, seen).mean(axis=0)
