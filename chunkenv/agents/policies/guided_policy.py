"""The guided flow of a CFGRL agent as a flow policy: strategies inpaint it, and its cost tells of both evaluations."""

from __future__ import annotations

import math

import numpy as np

from chunkenv.agents.cfgrl import CFGRL
from chunkenv.agents.nets.goal_input import Seen, join_goal
from chunkenv.agents.nets.mlp import Array, Layers
from chunkenv.agents.policies.flow_sampler import FlowSampler


class GuidedPolicy(FlowSampler):
    """The chunks of an agent, guided by its weight w; a strategy guides first, then inpaints.

    Args:
        agent: of CFGRL; one of form "subgoals" wants sub-goals in place of goals.

    Attributes:
        evaluations_per_velocity: of the network: 2, or 1 with a weight of 0 or 1.
        flops_per_evaluation: floating point operations of the network for one chunk; 2 for a multiply-add.
    """

    def __init__(self, agent: CFGRL) -> None:
        self._agent, acting = agent, agent.acting()
        flow, horizons = acting.guided_flow, agent.settings.horizons
        self.evaluations_per_velocity, self.flops_per_evaluation = flow.evaluations, _flops(acting.params["flow"])
        longest = horizons.seen_prefix
        super().__init__(flow, horizons.prediction_horizon, agent.sizes.action, longest, longest > 0)

    def with_guidance(self, weight: float) -> GuidedPolicy:
        """The same policy with another weight w.

        Raises:
            ArgumentError: a weight below 0, or one that is not finite.
        """
        return GuidedPolicy(self._agent.with_guidance(weight))

    def to_actions(self, chunks: Array) -> Array:
        """Chunks within [-1, 1]."""
        return chunks.clip(-1, 1)

    def _checked(self, observations: Seen, count: tuple[int, ...]) -> np.ndarray:
        return np.asarray(join_goal(observations), np.float32)


def _flops(layers: Layers) -> int:
    """Of one chunk: the products of all matrices."""
    return sum(2 * math.prod(layer["kernel"].shape) for layer in layers)
