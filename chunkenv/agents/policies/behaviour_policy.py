"""The flow inside an agent of the Q-chunking family, as a flow policy that execution strategies can look into.

`BestOf(RTC(BehaviourPolicy(agent)), values=chunk_values(agent))` is Q-chunking whose candidates are all inpainted
around what is left of the previous chunk.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.common.learner import Learner
from chunkenv.agents.nets.behaviour_flow import BehaviourFlow
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.policies.flow_sampler import FlowSampler
from chunkenv.errors import ArgumentError


class BehaviourPolicy(FlowSampler):
    """What the data do, as the agent learned it: its critics have no part in it.

    Args:
        agent: one with a flow, of `chunkenv.agents.registry`; its delay is the longest prefix.

    Raises:
        ArgumentError: the agent has no flow.
    """

    def __init__(self, agent: Learner) -> None:
        if "flow" not in agent.params:
            raise ArgumentError(
                f"{agent.name} has no flow, but {sorted(agent.params)}; give a qc, qc-fql or dqc agent."
            )
        horizons = agent.settings.horizons
        steps: int = agent.settings.steps  # pyright: ignore[reportAttributeAccessIssue] (agents with a flow have it)
        flow = BehaviourFlow(agent.acting().params["flow"], horizons, steps)
        longest = horizons.seen_prefix
        super().__init__(flow, horizons.prediction_horizon, agent.sizes.action, longest, longest > 0)

    def to_actions(self, chunks: Array) -> Array:
        """Chunks within [-1, 1]."""
        return chunks.clip(-1, 1)


def chunk_values(agent: Learner) -> Callable[[Array, Array], np.ndarray]:
    """The mean value of chunks over an agent's critics.

    Args:
        agent: a qc or qc-fql agent.

    Returns:
        A function of observations [N, O] and chunks [N, H, A] that returns float32[N].
    """
    return lambda observations, chunks: np.asarray(_mean_value(agent, observations, chunks))


@jax.jit
def _mean_value(agent: Learner, observations: jax.Array, chunks: jax.Array) -> jax.Array:
    seen = chunks[:, agent.valued_rows]
    return critic_values(agent.acting().params["critics"], observations, seen).mean(axis=0)
