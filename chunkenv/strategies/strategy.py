"""What every execution strategy has in common."""

from __future__ import annotations

from typing import Any

from chunkenv.evaluate import Policy
from chunkenv.strategies.costs import Cost, cost_of
from chunkenv.strategies.denoiser import check_needs
from chunkenv.strategies.requests import each, request_of, stack, stack_requests


class Strategy:
    """A policy over a policy.

    Attributes:
        policy: what it asks.
        needs: what it needs of the policy beside `infer`, by name.
        instead: what to do with a policy that lacks it, the end of a sentence.

    Args:
        policy: a policy with all that is needed.

    Raises:
        ArgumentError: it lacks something.
    """

    needs: tuple[str, ...] = ()
    instead: str = ""

    def __init__(self, policy: Any) -> None:
        check_needs(policy, type(self).__name__, self.needs, self.instead)
        self.policy = policy

    def infer(self, observation: Any, request: Any) -> Any:
        """The chunk for one request: a batch of one."""
        batch = stack_requests([request], rows=getattr(self.policy, "prediction_horizon", 0))
        return self.infer_batch(stack([observation]), batch)[0]

    def infer_batch(self, observations: Any, request: Any) -> Any:
        """The chunks for many requests, [N, H, ...]."""
        return ask(self.policy, observations, request)

    def reset(self) -> None:
        """Start an episode: forget the last one, in the policy too."""
        reset = getattr(self.policy, "reset", None)
        if callable(reset):
            reset()

    @property
    def cost(self) -> Cost:
        """What a chunk costs."""
        return cost_of(self.policy)


def ask(policy: Any, observations: Any, request: Any) -> Any:
    """The chunks of a policy for many requests: at once if it can, else one after the other."""
    if callable(getattr(policy, "infer_batch", None)):
        return policy.infer_batch(observations, request)
    return stack([_ask_one(policy, observations, request, index) for index in range(len(request.tick))])


def _ask_one(policy: Policy, observations: Any, request: Any, index: int) -> Any:
    return policy.infer(each(lambda part: part[index], observations), request_of(request, index))
