"""An agent of the Q-chunking family as a policy: it answers requests for chunks."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from chunkenv.agents.common.learner import Learner
from chunkenv.agents.nets.goal_input import Seen, join_goal
from chunkenv.agents.policies.streams import checked_streams
from chunkenv.request import Request, VectorRequest


class ChunkPolicy:
    """Answers each request with a chunk that goes on from its prefix.

    Args:
        agent: a trained agent.

    Attributes:
        prediction_horizon: rows in a chunk, H.
    """

    def __init__(self, agent: Learner) -> None:
        self._agent = agent
        self._horizons = agent.settings.horizons
        self.prediction_horizon: int = self._horizons.prediction_horizon

    def infer(self, observation: Seen, request: Request) -> np.ndarray:
        """A chunk for one request.

        Args:
            observation: float32[O]; or that of a goal-conditioned environment, see `join_goal`.
            request: with a random stream in `rng`; of a prefix longer than the agent's delay it sees a part.

        Returns:
            float32[H, A].

        Raises:
            ArgumentError: a request without a stream.
        """
        return self._answers(np.asarray(join_goal(observation), np.float32)[None], [request.prefix], request.rng)[0]

    def infer_batch(self, observations: Seen, request: VectorRequest) -> np.ndarray:
        """Chunks for N requests, float32[N, H, A]; each draws from its own stream, so that none depends on the others.

        Args:
            observations: float32[N, O], or as `infer` has them.
            request: with N random streams in `rng`.
        """
        counts = np.asarray(request.prefix_length).tolist()
        prefixes = [np.asarray(rows)[:count] for rows, count in zip(request.prefix, counts, strict=True)]
        return self._answers(np.asarray(join_goal(observations), np.float32), prefixes, request.rng)

    def _answers(self, observations: np.ndarray, prefixes: Sequence[np.ndarray], rng: object) -> np.ndarray:
        streams, delay = checked_streams(rng, "an agent"), self._horizons.delay
        padded = np.zeros((len(prefixes), delay, self._agent.sizes.action), np.float32)
        lengths = np.array([min(len(prefix), delay) for prefix in prefixes], np.int32)
        for row, (prefix, length) in enumerate(zip(prefixes, lengths, strict=True)):
            padded[row, :length] = np.asarray(prefix, np.float32)[:length]
        seeds = np.array([rng.integers(2**32, dtype=np.uint32) for rng in streams])
        return np.array(_sample_chunks(self._agent, observations, padded, lengths, seeds))


@jax.jit
def _sample_chunks(
    agent: Learner, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, seeds: jax.Array
) -> jax.Array:
    """A chunk for each row, by a key of its own."""
    acting = agent.acting()

    def sample(observation: jax.Array, rows: jax.Array, length: jax.Array, seed: jax.Array) -> jax.Array:
        return acting.sample_chunk(observation[None], rows[None], length[None], jax.random.key(seed))[0]

    return jax.vmap(sample)(observations, prefix, lengths, seeds)
