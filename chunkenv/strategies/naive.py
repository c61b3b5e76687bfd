"""The plain policy: what every other strategy is compared with."""

from __future__ import annotations

from chunkenv.request import Chunk, Policy, Request
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.types import Observation


class Naive(Strategy[Policy]):
    """Returns the policy's chunk: the robot switches to it as soon as it is there ('naive async' in RTC's paper).

    With `overlap=False` in the environment the same policy is the synchronous robot, which waits for each chunk.

    Args:
        policy: anything with `infer(observation, request)`.

    Raises:
        ArgumentError: it has no such method.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> Naive(SimpleNamespace(infer=lambda observation, request: np.zeros((8, 1)))).cost
    Cost(evaluations=1, vjps=0, flops=None)
    """

    def infer(self, observation: Observation, request: Request) -> Chunk:
        """The policy's own chunk, whatever its actions are."""
        return self.policy.infer(observation, request)
