"""The plain policy: what every other strategy is compared with."""

from __future__ import annotations

from typing import Any

from chunkenv.strategies.strategy import Strategy


class Naive(Strategy):
    """Hands the policy's chunk on: the robot switches to it as soon as it is there ('naive async' in RTC's paper).

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

    def infer(self, observation: Any, request: Any) -> Any:
        """The policy's own chunk, whatever its actions are."""
        return self.policy.infer(observation, request)
