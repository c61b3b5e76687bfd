"""A policy that is asked for many episodes at once, and again one by one or in another order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from chunkenv.strategies.requests import map_arrays, stack, stack_requests
from chunkenv.testing.expect import expect
from chunkenv.testing.random_rollouts import read_request


class Asked(NamedTuple):
    """One decision of N environments: what was asked of each, and the batch of answers.

    Attributes:
        observations: one for each environment.
        requests: one for each, without a random stream.
        episodes: how many episodes each has begun before this one.
        chunks: the answers.
    """

    observations: list[Any]
    requests: list[Any]
    episodes: list[int]
    chunks: Any


class Streams:
    """Each episode's own random stream, the same ones each time they are made."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], np.random.Generator] = {}

    def of(self, index: int, episode: int) -> np.random.Generator:
        """The stream of one episode of environment `index`, as far as it has been drawn from."""
        return self._made.setdefault((index, episode), np.random.default_rng([index, episode]))


def play_batch(
    policy: Any, make_env: Callable[[], gym.Env[Any, Any]], size: int, decisions: int, restart_every: int = 0
) -> Iterator[Asked]:
    """Play so many environments with a policy's batches; each begins anew where it ends, or in turn every few.

    Each batch is shown before it is played.
    """
    reset_if_it_can(policy)
    streams = Streams()
    with ExitStack() as opened:
        envs = [opened.enter_context(closing(make_env())) for _ in range(size)]
        observations = [env.reset(seed=index)[0] for index, env in enumerate(envs)]
        episodes = [0] * size
        for decision in range(decisions):
            requests = [read_request(env) for env in envs]
            inputs = copy.deepcopy((observations, requests, list(episodes)))
            rows = envs[0].get_wrapper_attr("prediction_horizon")
            chunks = ask(policy, Asked(observations, requests, episodes, None), range(size), streams, rows)
            yield Asked(*inputs, copy.deepcopy(chunks))
            for index, env in enumerate(envs):
                observations[index], ended = _step(env, chunks, index)
                due = decision > 0 and restart_every and decision % restart_every == index % restart_every
                if ended or due:
                    episodes[index] += 1
                    observations[index] = env.reset(seed=index + 1000 * episodes[index])[0]


def ask(
    policy: Any,
    asked: Asked,
    order: Sequence[int],
    streams: Streams,
    rows: int,
    change: Callable[[Any], Any] = lambda request: request,
) -> Any:
    """A policy's chunks for some of what was asked, in some order, with a changed request."""
    requests = [asked.requests[i]._replace(rng=streams.of(i, asked.episodes[i])) for i in order]
    observations = stack([asked.observations[i] for i in order])
    return policy.infer_batch(observations, change(stack_requests(requests, rows=rows)))


def one_by_one(make_policy: Callable[[], Any], record: list[Asked], index: int) -> list[Any]:
    """The chunks of a new policy for environment `index` alone, reset before each of its episodes."""
    policy, streams, chunks, last = make_policy(), Streams(), [], None
    for asked in record:
        if asked.episodes[index] != last:
            reset_if_it_can(policy)
        last = asked.episodes[index]
        request = asked.requests[index]._replace(rng=streams.of(index, last))
        chunks.append(copy.deepcopy(policy.infer(asked.observations[index], request)))
    return chunks


def reset_if_it_can(policy: Any) -> None:
    """Tell a policy that an episode begins."""
    getattr(policy, "reset", lambda: None)()


def with_other_filling(request: Any) -> Any:
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


def expect_close(expected: Any, seen: Any, tolerance: float, why: str) -> None:
    """Fail unless two nested chunks are equal (numbers with a fraction: nearly)."""

    def compare(one: Any, other: Any) -> None:
        one, other = np.asarray(one), np.asarray(other)
        expect(one.shape == other.shape, f"{why}: it has shape {other.shape}; expected {one.shape}.")
        slack = tolerance if one.dtype.kind == "f" else 0.0
        near = np.allclose(other, one, rtol=slack, atol=slack)
        expect(near, f"{why}: it is {other.tolist()}; expected {one.tolist()}.")

    map_arrays(compare, expected, seen)


def _step(env: gym.Env[Any, Any], chunks: Any, index: int) -> tuple[Any, bool]:
    """Play a copy of one chunk: the policy's own batch is not played with."""
    observation, _, terminated, truncated, _ = env.step(map_arrays(lambda part: copy.deepcopy(part[index]), chunks))
    return observation, bool(terminated or truncated)
