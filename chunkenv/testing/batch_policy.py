"""Policies that answer many episodes at once, then the same requests one by one or in another order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from chunkenv.evaluate import reset_policy
from chunkenv.request import BatchPolicy, Chunk, Policy, Request, VectorRequest
from chunkenv.strategies.requests import map_arrays, stack, stack_requests
from chunkenv.testing.choices import action_of, answer_budget, chooses_delays
from chunkenv.testing.expect import expect
from chunkenv.testing.random_rollouts import read_request
from chunkenv.utils.types import AnyEnv, Observation


class BatchDecision(NamedTuple):
    """One decision of N environments: the request of each, and the batch of chunks.

    Attributes:
        observations: one for each environment.
        asked: the requests as they were before delays were chosen; None where they are not.
        requests: one for each, without a random stream.
        episodes: how many episodes each has begun before this one.
        chunks: the policy's answer; None before it.
    """

    observations: list[Observation]
    asked: list[Request] | None
    requests: list[Request]
    episodes: list[int]
    chunks: Chunk


class EpisodeStreams:
    """Each episode's own random stream, the same ones each time they are made."""

    def __init__(self) -> None:
        self._streams: dict[tuple[int, int], np.random.Generator] = {}

    def of(self, index: int, episode: int) -> np.random.Generator:
        """The stream of one episode of environment `index`, as far as it has been drawn from."""
        return self._streams.setdefault((index, episode), np.random.default_rng([index, episode]))


def play_batch(
    policy: BatchPolicy, make_env: Callable[[], AnyEnv], size: int, decisions: int, restart_every: int = 0
) -> Iterator[BatchDecision]:
    """Play so many environments with a policy's batches; each begins anew where it ends, or in turn every few.

    Each batch is shown before it is played.
    """
    reset_policy(policy)
    streams = EpisodeStreams()
    with ExitStack() as opened:
        envs = [opened.enter_context(closing(make_env())) for _ in range(size)]
        observations = [env.reset(seed=index)[0] for index, env in enumerate(envs)]
        episodes = [0] * size
        for number in range(decisions):
            asked = [read_request(env) for env in envs]
            rows = envs[0].get_wrapper_attr("prediction_horizon")
            decision, delays = BatchDecision(observations, None, asked, episodes, None), [None] * size
            if chooses_delays(envs[0]):
                decision, delays = _ask_budgets(policy, envs, decision, streams, rows)
            inputs = copy.deepcopy(decision._replace(episodes=list(episodes)))
            chunks = _infer(policy, decision, range(size), streams, rows)
            yield inputs._replace(chunks=copy.deepcopy(chunks))
            for index, env in enumerate(envs):
                observations[index], ended = _step(env, chunks, index, delays[index])
                due = number > 0 and restart_every and number % restart_every == index % restart_every
                if ended or due:
                    episodes[index] += 1
                    observations[index] = env.reset(seed=index + 1000 * episodes[index])[0]


def infer_batch(
    policy: BatchPolicy,
    decision: BatchDecision,
    order: Sequence[int],
    streams: EpisodeStreams,
    rows: int,
    change: Callable[[VectorRequest], VectorRequest] = lambda request: request,
) -> Chunk:
    """A policy's chunks for some environments of a decision, in some order, with a changed request.

    Where it chose delays, it is asked for them again, because it may draw or remember something with that.
    """
    if decision.asked is not None:
        _budgets(policy, decision, decision.asked, order, streams, rows, change)
    return _infer(policy, decision, order, streams, rows, change)


def infer_one_by_one(make_policy: Callable[[], Policy], record: list[BatchDecision], index: int) -> list[Chunk]:
    """The chunks of a new policy for environment `index` alone, reset before each of its episodes."""
    policy, streams, chunks, last = make_policy(), EpisodeStreams(), [], None
    for decision in record:
        if decision.episodes[index] != last:
            reset_policy(policy)
        last = decision.episodes[index]
        observation, rng = decision.observations[index], streams.of(index, last)
        if decision.asked is not None:
            any_policy: Any = policy
            any_policy.budget(observation, decision.asked[index]._replace(rng=rng))
        chunks.append(copy.deepcopy(policy.infer(observation, decision.requests[index]._replace(rng=rng))))
    return chunks


def change_filling(request: VectorRequest) -> VectorRequest:
    """The request with other numbers behind the real rows of its prefix and of what is left."""

    def fill(part: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        filled = part.copy()
        filling = np.arange(part.shape[1]) >= lengths[:, None]
        filled[filling] = 1000 if part.dtype.kind == "f" else 1
        return filled

    return request._replace(
        prefix=map_arrays(lambda part: fill(part, request.prefix_length), request.prefix),
        left_over=map_arrays(lambda part: fill(part, request.left_over_length), request.left_over),
    )


def expect_close(expected: Chunk, actual: Chunk, tolerance: float, why: str) -> None:
    """Fail unless two nested chunks are equal (numbers with a fraction: nearly)."""

    def compare(one: np.ndarray, other: np.ndarray) -> None:
        one, other = np.asarray(one), np.asarray(other)
        expect(one.shape == other.shape, f"{why}: it has shape {other.shape}; expected {one.shape}.")
        slack = tolerance if one.dtype.kind == "f" else 0.0
        near = np.allclose(other, one, rtol=slack, atol=slack)
        expect(near, f"{why}: it is {other.tolist()}; expected {one.tolist()}.")

    map_arrays(compare, expected, actual)


def _ask_budgets(
    policy: Any, envs: Sequence[AnyEnv], decision: BatchDecision, streams: EpisodeStreams, rows: int
) -> tuple[BatchDecision, list[Any]]:
    """The decision with the requests that are to be answered, and the delays that the policy chose."""
    name, asked = type(policy).__name__, decision.requests
    found = callable(getattr(policy, "budget_batch", None))
    expect(found, f"{name} has no budget_batch(observations, request); expected one.")
    delays = np.asarray(_budgets(policy, decision, asked, range(len(envs)), streams, rows)).tolist()
    answers = [answer_budget(*each) for each in zip(envs, delays, asked, strict=True)]
    return decision._replace(asked=asked, requests=[request for request, _ in answers]), delays


def _budgets(
    policy: Any,
    decision: BatchDecision,
    asked: Sequence[Request],
    order: Sequence[int],
    streams: EpisodeStreams,
    rows: int,
    change: Callable[[VectorRequest], VectorRequest] = lambda request: request,
) -> Any:
    """What a policy says to the requests before delays are chosen."""
    return policy.budget_batch(*_inputs(decision, asked, order, streams, rows, change))


def _infer(
    policy: BatchPolicy,
    decision: BatchDecision,
    order: Sequence[int],
    streams: EpisodeStreams,
    rows: int,
    change: Callable[[VectorRequest], VectorRequest] = lambda request: request,
) -> Chunk:
    """What a policy answers to the requests."""
    return policy.infer_batch(*_inputs(decision, decision.requests, order, streams, rows, change))


def _inputs(
    decision: BatchDecision,
    requests: Sequence[Request],
    order: Sequence[int],
    streams: EpisodeStreams,
    rows: int,
    change: Callable[[VectorRequest], VectorRequest],
) -> tuple[Observation, VectorRequest]:
    """Observations and requests of some environments, as a batch."""
    chosen = [requests[i]._replace(rng=streams.of(i, decision.episodes[i])) for i in order]
    return stack([decision.observations[i] for i in order]), change(stack_requests(chosen, rows=rows))


def _step(env: AnyEnv, chunks: Chunk, index: int, delay: int | None) -> tuple[Observation, bool]:
    """Play a copy of one chunk: the policy's own batch is not played with."""
    answer = copy.deepcopy(map_arrays(itemgetter(index), chunks))
    observation, _, terminated, truncated, _ = env.step(action_of(env, answer, delay))
    return observation, bool(terminated or truncated)
