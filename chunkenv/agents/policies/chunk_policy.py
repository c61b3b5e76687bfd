"""An agent of the Q-chunking family as a policy: it answers requests for chunks."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from chunkenv.errors import ArgumentError, brief


class ChunkPolicy:
    """Answers each request with a chunk that goes on from its prefix.

    Args:
        agent: with `sample_chunk`, `sizes` and `settings`.

    Attributes:
        prediction_horizon: rows in a chunk, H.
    """

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self._horizons = agent.settings.horizons
        self.prediction_horizon: int = self._horizons.prediction_horizon

    def infer(self, observation: np.ndarray, request: Any) -> np.ndarray:
        """A chunk for one request.

        Args:
            observation: float32[O].
            request: `chunkenv.Request` with a random stream in `rng`; a prefix longer than the agent's delay is
                known to it in part.

        Returns:
            float32[H, A].

        Raises:
            ArgumentError: a request without a stream.
        """
        return self._answers(np.asarray(observation, np.float32)[None], [request.prefix], [request.rng])[0]

    def infer_batch(self, observations: np.ndarray, request: Any) -> np.ndarray:
        """Chunks for N requests, float32[N, H, A]; each draws from its own stream, so that none depends on the others.

        Args:
            observations: float32[N, O].
            request: `chunkenv.VectorRequest` with N random streams in `rng`.
        """
        counts = np.asarray(request.prefix_length).tolist()
        prefixes = [np.asarray(rows)[:count] for rows, count in zip(request.prefix, counts, strict=True)]
        return self._answers(np.asarray(observations, np.float32), prefixes, list(request.rng))

    def _answers(self, observations: np.ndarray, prefixes: list[Any], streams: list[Any]) -> np.ndarray:
        if not all(isinstance(rng, np.random.Generator) for rng in streams):
            raise ArgumentError(
                f"The request has rng={brief(streams[0])}, but an agent draws each chunk; use chunkenv.evaluate, or "
                "give it a stream: request._replace(rng=numpy.random.default_rng(0))."
            )
        delay = self._horizons.delay
        padded = np.zeros((len(prefixes), delay, self._agent.sizes.action), np.float32)
        lengths = np.array([min(len(prefix), delay) for prefix in prefixes], np.int32)
        for row, (prefix, length) in enumerate(zip(prefixes, lengths, strict=True)):
            padded[row, :length] = np.asarray(prefix, np.float32)[:length]
        seeds = np.array([rng.integers(2**32, dtype=np.uint32) for rng in streams])
        return np.array(_sampled(self._agent, observations, padded, lengths, seeds))


@jax.jit
def _sampled(agent: Any, observations: Any, prefix: Any, lengths: Any, seeds: Any) -> jax.Array:
    """A chunk for each row, by a key of its own."""

    def one(observation: Any, rows: Any, length: Any, seed: Any) -> jax.Array:
        return agent.sample_chunk(observation[None], rows[None], length[None], jax.random.key(seed))[0]

    return jax.vmap(one)(observations, prefix, lengths, seeds)
