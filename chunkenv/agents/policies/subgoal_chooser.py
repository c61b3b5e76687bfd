"""The high level of an agent with two levels, as `chunkenv.strategies.Subgoals` takes it.

`Subgoals(RTC(BehaviourPolicy(agent)), choose_subgoals(agent))` is such an agent whose chunks are inpainted around what
is left of the previous chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from chunkenv.agents.nets.goal_input import Seen, join_goal
from chunkenv.errors import ArgumentError


def choose_subgoals(agent: Any) -> Callable[[Seen, np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """A function of observations, prefixes, their lengths and seeds that returns observations with sub-goals.

    Args:
        agent: has `toward_subgoals`, such as SHARSA.

    Raises:
        ArgumentError: it has none.
    """
    if not hasattr(agent, "toward_subgoals"):
        raise ArgumentError(f"{agent.name} chooses no sub-goals; give an agent that does, such as sharsa.")
    delay, size, acting = agent.settings.horizons.delay, agent.sizes.action, agent.acting()

    def choose(observations: Seen, prefix: np.ndarray, lengths: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        rows = np.zeros((len(seeds), delay, size), np.float32)
        shown = np.asarray(prefix, np.float32)[:, :delay]
        rows[:, : shown.shape[1]] = shown
        seen = np.asarray(join_goal(observations), np.float32)
        return np.asarray(_toward_subgoals(acting, seen, rows, np.minimum(lengths, delay), seeds))

    return choose


@jax.jit
def _toward_subgoals(
    agent: Any, observations: jax.Array, prefix: jax.Array, lengths: jax.Array, seeds: jax.Array
) -> jax.Array:
    """Each row by a key of its own."""

    def toward(observation: jax.Array, rows: jax.Array, length: jax.Array, seed: jax.Array) -> jax.Array:
        return agent.toward_subgoals(observation[None], rows[None], length[None], jax.random.key(seed))[0]

    return jax.vmap(toward)(observations, prefix, lengths, seeds)
