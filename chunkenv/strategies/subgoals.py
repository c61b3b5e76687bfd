"""Two levels: a sub-goal is chosen first, and the policy below plans towards it.

How hierarchical agents act (SHARSA: Park et al. 2025, arXiv 2506.04168), over any policy that is told a goal: with
`RTC` below it, each chunk goes on from what is left of the previous one, towards a sub-goal that is chosen anew.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.request import Chunk, Policy, VectorRequest
from chunkenv.strategies.requests import generators_of
from chunkenv.strategies.strategy import Strategy, ask
from chunkenv.utils.types import Observation

Choose = Callable[[Observation, Chunk, np.ndarray, np.ndarray], Observation]
"""`choose(observations, prefix, lengths, seeds)` of N requests: their observations with sub-goals in the goals' place.

`prefix` [N, R, A] are the actions that are decided already, of which the first `lengths` (int[N]) are real; `seeds`,
uint32[N], are what row i may draw from.
"""


class Subgoals(Strategy[Policy]):
    """Shows the policy a sub-goal in place of the goal; the episode's own generator draws both.

    Args:
        policy: is told a goal in its observations.
        choose: the sub-goals, see `Choose`; `chunkenv.agents.choose_subgoals` makes it of an agent.

    Raises:
        ArgumentError: `choose` cannot be called.
    """

    def __init__(self, policy: Policy, choose: Choose) -> None:
        super().__init__(policy)
        if not callable(choose):
            raise ArgumentError(f"choose={choose!r} cannot be called; give chunkenv.agents.choose_subgoals(agent).")
        self.choose = choose

    def infer_batch(self, observations: Observation, request: VectorRequest) -> Chunk:
        """The chunks towards the sub-goals, [N, H, A].

        Raises:
            ArgumentError: the request has no generators.
        """
        generators = generators_of(request, "Subgoals")
        seeds = np.array([rng.integers(2**32, dtype=np.uint32) for rng in generators])
        toward = self.choose(observations, request.prefix, np.asarray(request.prefix_length), seeds)
        return ask(self.policy, toward, request)
