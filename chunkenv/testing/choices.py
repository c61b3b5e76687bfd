"""What a policy is asked, and answers, where the environment lets it choose more than a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector.utils import batch_space

from chunkenv.request import Chunk, Request
from chunkenv.testing.expect import expect
from chunkenv.utils.types import Action, AnyEnv, AnySpace, Observation
from chunkenv.wrappers.decision_space import DecisionSpace


def chooses_delays(env: AnyEnv) -> bool:
    """Whether the policy says how long it will think."""
    space = env.action_space
    return isinstance(space, DecisionSpace) and space.delays is not None


def ask_budget(policy: Any, env: AnyEnv, observation: Observation, request: Request) -> tuple[Request, int | None]:
    """The request that is to be answered, and the delay that the policy chose for it; None if it may not."""
    if not chooses_delays(env):
        return request, None
    name = type(policy).__name__
    expect(callable(getattr(policy, "budget", None)), f"{name} has no budget(observation, request); expected one.")
    return answer_budget(env, policy.budget(observation, request), request)


def answer_budget(env: AnyEnv, delay: Any, request: Request) -> tuple[Request, int]:
    """The request after a delay was chosen, and the delay."""
    expect(delay in (request.delays or ()), f"the budget is {delay!r}; expected one of {request.delays}.")
    return env.get_wrapper_attr("request_after")(delay)._replace(rng=request.rng), int(delay)


def action_of(env: AnyEnv, answer: Chunk, delay: int | None = None) -> Action:
    """The action that an answer is: a chunk, or one with what was chosen."""
    space = env.action_space
    return space.join(answer, delay) if isinstance(space, DecisionSpace) else answer


def read_answer(env: AnyEnv, answer: Chunk, count: int | None = None) -> tuple[AnySpace, Chunk]:
    """The space that a chunk (or `count` of them) must be a member of, and the chunk, apart from its horizon.

    Raises:
        AssertionError: a horizon that may not be chosen.
    """
    space = env.action_space
    if isinstance(space, DecisionSpace):
        if space.horizons:
            _expect_horizons(space.join(answer)["horizon"], space.horizons, count)
        space, answer = space["chunk"], space.join(answer)["chunk"]
    return space if count is None else batch_space(space, count), answer


def _expect_horizons(horizons: Any, choice: Sequence[int], count: int | None) -> None:
    """One for each chunk; or one for all, where chunks are returned alone."""
    array = np.asarray(horizons)
    low, high = choice
    fits = array.shape in ((), (count,)) and array.dtype.kind in "iu"
    expect(fits and bool(((array >= low) & (array <= high)).all()),
           f"the horizon is {horizons!r}; expected a whole number from {low} to {high} for each chunk.")  # fmt: skip
