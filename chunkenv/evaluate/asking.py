"""How a policy is asked: first how long it will think, if it may choose that; then for its chunk, which is timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.request import Request, VectorRequest
from chunkenv.utils.spaces import read_array
from chunkenv.utils.types import Action, AnyEnv, AnyVectorEnv, Observation
from chunkenv.wrappers.decision_space import DecisionSpace


class Methods(NamedTuple):
    """What a policy's methods are called that answer one request, or many, and what the second must return."""

    infer: str
    budget: str
    budgets: str


ONE = Methods("infer", "budget", "one of request.delays")
MANY = Methods("infer_batch", "budget_batch", "one of request.delays for each request, int[N]")


class TimedAnswer(NamedTuple):
    """What came of a question.

    Attributes:
        action: for the environment's `step`.
        request: that was answered; of the delay that the policy chose, if it may.
        seconds: wall time of the inference.
    """

    action: Action
    request: Request | VectorRequest
    seconds: float


class Asker:
    """Asks a policy what an environment that executes chunks wants to know, and charges the time if it wants that.

    Where the environment lets the agent choose its delay, `budget(observation, request)` (for many environments
    `budget_batch`) is asked first, and does not count to the time of the inference.

    Args:
        env: single or vector.
        policy: has `infer`, or `infer_batch` for a vector environment.

    Raises:
        ArgumentError: the environment lets the policy choose its delay, and it has no `budget`.
    """

    def __init__(self, env: AnyEnv | AnyVectorEnv, policy: Any) -> None:
        single = isinstance(env, gym.Env)
        self._env, self._count = env, None if single else env.num_envs
        self._methods, self._name = ONE if single else MANY, type(policy).__name__
        space = env.action_space if single else env.single_action_space
        self._space = space if isinstance(space, DecisionSpace) else None
        self._infer: Callable[..., Any] = getattr(policy, self._methods.infer)
        self._charge = attribute_of(env, "charge") if attribute_of(env, "latency_is_measured") else None
        self._budget: Callable[..., Any] | None = None
        if self._space is not None and self._space.delays is not None:
            what = f"{self._methods.budget}(observation, request) that returns {self._methods.budgets}"
            choice = f"the environment lets it choose how long to think, delays={self._space.delays}."
            check_policy(policy, self._methods.budget, f"{what}; {choice}")
            self._budget = getattr(policy, self._methods.budget)

    def ask(self, observation: Observation, rng: Any, playing: NDArray[np.bool_] | None = None) -> TimedAnswer:
        """The policy's answer to the environment's present request.

        Args:
            observation: of the environment.
            rng: the policy's random stream, or one for each environment.
            playing: of a vector environment, what `VectorRequest.playing` says.

        Raises:
            ActionError: a budget that cannot be chosen.
        """
        told = {"rng": rng} if self._count is None else {"rng": rng, "playing": playing}
        request, delay = attribute_of(self._env, "request")._replace(**told), None
        if self._budget is not None:
            delay = self._check_budget(self._budget(observation, request), request.delays)
            request = attribute_of(self._env, "request_after")(delay)._replace(**told)
        begun = time.perf_counter()
        answer = self._infer(observation, request)
        seconds = time.perf_counter() - begun
        if self._charge is not None:
            self._charge(seconds if self._count is None else np.full(self._count, seconds))
        return TimedAnswer(self._join(answer, delay), request, seconds)

    def _check_budget(self, budget: object, delays: tuple[int, ...]) -> Any:
        """The ticks that a policy chose to think, an int or int64[N]."""
        shape = () if self._count is None else (self._count,)
        ticks = _read_whole(budget)
        if ticks is None or ticks.shape != shape or not np.isin(ticks, delays).all():
            raise ActionError(
                f"{self._name}.{self._methods.budget} returned {brief(budget)}, where delays={delays} may be chosen; "
                f"return {self._methods.budgets}."
            )
        return int(ticks) if self._count is None else ticks.astype(np.int64)

    def _join(self, answer: Any, delay: Any) -> Action:
        if self._space is None:
            return answer
        action = self._space.join(answer, delay)
        if self._count is not None and np.ndim(action.get("horizon", ())) == 0:
            action["horizon"] = np.full(self._count, action["horizon"])
        return action


def check_policy(
    policy: object, method: str = "infer", what: str = "infer(observation, request) that returns a chunk."
) -> None:
    """Refuse what cannot infer.

    Args:
        policy: what is to be evaluated.
        method: the name of the method that it needs.
        what: the end of the sentence about a policy without it.

    Raises:
        ArgumentError: if there is no such method, or a class is given in place of an object.
    """
    if isinstance(policy, type):
        raise ArgumentError(f"policy={policy.__name__} is a class; give an object of it, {policy.__name__}(...).")
    if not callable(getattr(policy, method, None)):
        raise ArgumentError(f"policy={policy!r} has no method {what}")


def reset_policy(policy: object) -> None:
    """Call `reset()`, if the policy has it: an episode begins."""
    reset = getattr(policy, "reset", None)
    if callable(reset):
        reset()


def attribute_of(env: AnyEnv | AnyVectorEnv, name: str) -> Any:
    """An attribute of the wrapper that chunks, which may be wrapped further."""
    return env.get_wrapper_attr(name) if isinstance(env, gym.Env) else getattr(env, name)


def _read_whole(values: object) -> np.ndarray | None:
    """An array of whole numbers; None for anything else."""
    try:
        array = read_array(values, "budget", "whole numbers")
    except ActionError:
        return None
    return array if array.dtype.kind in "iu" else None
