"""What every execution strategy has in common."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Generic, TypeVar

from chunkenv.evaluate import reset_policy
from chunkenv.request import Chunk, Policy, Request, VectorRequest
from chunkenv.strategies.costs import Cost, cost_of
from chunkenv.strategies.denoiser import check_needs
from chunkenv.strategies.requests import map_arrays, request_of, stack, stack_requests
from chunkenv.utils.types import Observation, is_list

PolicyType = TypeVar("PolicyType", bound=Policy)


class Strategy(Generic[PolicyType]):
    """A policy over a policy.

    Where `request.horizons` lets it choose when to ask again, it may return `(chunk, horizon)`, of a batch
    `(chunks, horizons)` with a whole number for each row.

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

    def __init__(self, policy: PolicyType) -> None:
        check_needs(policy, type(self).__name__, self.needs, self.instead)
        self.policy = policy

    def infer(self, observation: Observation, request: Request) -> Chunk:
        """The chunk for one request, or it and its horizon: a batch of one."""
        batch = stack_requests([request], rows=getattr(self.policy, "prediction_horizon", 0))
        answer = self.infer_batch(stack([observation]), batch)
        return tuple(part[0] for part in answer) if is_list(answer, tuple) else answer[0]

    def infer_batch(self, observations: Observation, request: VectorRequest) -> Chunk:
        """The chunks for many requests, [N, H, ...], or they and their horizons, [N]."""
        return ask(self.policy, observations, request)

    def reset(self) -> None:
        """Start an episode: forget the last one, in the policy too."""
        reset_policy(self.policy)

    @property
    def cost(self) -> Cost:
        """What a chunk costs; of a strategy whose chunks differ in this, what the last one did.

        `chunkenv.evaluate` reads it after every inference. A strategy that asks its policy more than once for a
        decision adds up what that took.
        """
        return cost_of(self.policy)

    @property
    def costs(self) -> Sequence[Cost] | None:
        """What the chunks of the last batch cost, one by one; None where each costs what `cost` says."""
        return getattr(self.policy, "costs", None)


def ask(policy: Policy, observations: Observation, request: VectorRequest) -> Chunk:
    """The chunks of a policy for many requests: at once if it can, else one after the other."""
    infer_batch = getattr(policy, "infer_batch", None)
    if callable(infer_batch):
        return infer_batch(observations, request)
    return stack([_ask_one(policy, observations, request, index) for index in range(len(request.tick))])


def _ask_one(policy: Policy, observations: Observation, request: VectorRequest, index: int) -> Chunk:
    return policy.infer(map_arrays(itemgetter(index), observations), request_of(request, index))
