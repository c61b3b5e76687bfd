"""The flow policies of the package, asked late and sampled by functions of a student: what assignment 4 measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from chunkenv.course.grading.answers import read_array
from chunkenv.evaluate import Row
from chunkenv.request import BatchPolicy, Policy, VectorRequest
from chunkenv.strategies import Denoiser, plan_left, request_of
from chunkenv.strategies.requests import draw_noise, generators_of

FAMILY = "smooth"
"""Of flow policies: it has all twelve levels."""
Velocity: TypeAlias = Callable[[np.ndarray, float], np.ndarray]
"""`velocity(chunks, time)`: [N, H, A] of [N, H, A]."""
Pullback: TypeAlias = Callable[[np.ndarray, float, np.ndarray], np.ndarray]
"""`vjp(chunks, time, error)`: `error` [N, H, A] times the transposed Jacobian of the velocity in the chunks."""
Sample: TypeAlias = Callable[[Velocity, Pullback, np.ndarray, np.ndarray, np.ndarray], Any]
"""`sample(velocity, vjp, noise, plan, weights)`: chunks [N, H, A]; so are noise and plan, and weights [N, H, 1]."""
WeightsOf: TypeAlias = Callable[[int, int, int, int], Any]
"""`weights_of(delay, execution_horizon, left, horizon)`: [H]."""


class LateFlow:
    """A flow policy whose chunks somebody else samples from its velocity: a `chunkenv.request.BatchPolicy`.

    Args:
        policy: a flow policy, which compiles its velocity and the product with its Jacobian.
        sample: makes chunks of noise, in the network's space.
        weights_of: how much each row of a new chunk is held to the plan, for a delay, an execution horizon and so many
            rows left.

    Attributes:
        policy: the same.
    """

    def __init__(self, policy: Denoiser, sample: Sample, weights_of: WeightsOf) -> None:
        self.policy, self._sample = policy, sample
        self._shape = (policy.prediction_horizon, policy.action_size)
        self._velocity, self._vjp = policy.compile(_velocity), policy.compile(_vjp)
        self._weights_of = lru_cache(maxsize=None)(weights_of)
        self._compiled = False

    def infer_batch(self, observations: np.ndarray, request: VectorRequest) -> np.ndarray:
        """Chunks for N requests, [N, H, A].

        Raises:
            WrongAnswer: what was sampled, or was given to the velocity, is no such array of finite numbers.
        """
        shape = (len(observations), *self._shape)

        def velocity(chunks: np.ndarray, time: float) -> np.ndarray:
            return self._velocity(observations, _read("chunks", chunks, shape), float(time))

        def vjp(chunks: np.ndarray, time: float, error: np.ndarray) -> np.ndarray:
            given = _read("chunks", chunks, shape), float(time), _read("the error", error, shape)
            return self._vjp(observations, *given)

        noise = draw_noise(generators_of(request, "LateFlow"), *self._shape)
        self._compile(observations, noise)
        plan = np.asarray(self.policy.to_network(plan_left(request, *self._shape)))
        chunks = self._sample(velocity, vjp, noise, plan, self._weights(request))
        return np.asarray(self.policy.to_actions(_read("the batch of chunks", chunks, shape)))

    def _compile(self, observations: np.ndarray, chunks: np.ndarray) -> None:
        """Compile both functions now: it takes seconds, and must not be on the time of the student's code."""
        if not self._compiled:
            self._velocity(observations, chunks, 0.0)
            self._vjp(observations, chunks, 0.0, chunks)
            self._compiled = True

    def _weights(self, request: VectorRequest) -> np.ndarray:
        """Of every request, float32[N, H, 1]."""
        horizon, s = self._shape[0], request.execution_horizon
        counts = zip(request.delay_estimate.tolist(), request.left_over_length.tolist(), strict=True)
        rows = [_read("the weights", self._weights_of(delay, s, left, horizon), (horizon,)) for delay, left in counts]
        return np.stack(rows)[:, :, None]


def _velocity(flow: Any, observations: Any, chunks: Any, time: Any) -> Any:
    return flow.velocity(observations, chunks, time)


def _vjp(flow: Any, observations: Any, chunks: Any, time: Any, error: Any) -> Any:
    return flow.velocity_vjp(observations, chunks, time)[1](error)


def _read(what: str, array: Any, shape: Sequence[int]) -> np.ndarray:
    return read_array(what, array, shape).astype(np.float32)


class Ensembled:
    """A policy whose chunks pass through a policy of each episode's own, which is shown them as its observations.

    Args:
        policy: makes the chunks, [N, H, A].
        make: makes one with `reset()` and `infer(chunk, request)`.
    """

    def __init__(self, policy: BatchPolicy, make: Callable[[], Policy]) -> None:
        self._policy, self._make = policy, make
        self._rows: dict[int, Any] = {}

    def infer_batch(self, observations: np.ndarray, request: VectorRequest) -> np.ndarray:
        """What each episode's own policy makes of its chunk, [N, H, A]."""
        chunks = self._policy.infer_batch(observations, request)
        return np.stack([self._infer(row, chunk, request_of(request, row)) for row, chunk in enumerate(chunks)])

    def _infer(self, row: int, chunk: np.ndarray, request: Any) -> np.ndarray:
        mine = self._rows.setdefault(row, self._make())
        if request.tick == 0:
            mine.reset()
        return _read("the ensembled chunk", mine.infer(chunk, request), chunk.shape)


def late_flow(level: str, sample: Sample, weights_of: WeightsOf) -> LateFlow:
    """The flow policy of a Kinetix level, sampled by functions of one's own (extra `agents`).

    Args:
        level: such as "mjc_half_cheetah".
        sample: `sample(velocity, vjp, noise, plan, weights)` makes chunks [N, H, A].
        weights_of: `weights_of(delay, execution_horizon, left, horizon)` makes the weights of the plan's rows, [H].
    """
    from chunkenv.bench.studies import flow_policy

    return LateFlow(flow_policy(level, "plain", FAMILY), sample, weights_of)


def play_late(policy: BatchPolicy, level: str, delay: int, episodes: int, seed: int) -> list[Row]:
    """Episodes of a Kinetix level; the next request comes max(1, delay) ticks after the last one.

    Args:
        policy: of the level.
        level: its name.
        delay: in ticks, 0 to 4.
        episodes: how many; the same worlds for every policy and delay.
        seed: of all.

    Returns:
        A row for each, with `success` and `boundary_jump` among others.
    """
    from chunkenv.bench.studies import play_policy

    return play_policy(level, policy, range(episodes), seed, execution_horizon=max(1, delay), latency=delay)


def solved_by_delay(
    policy: BatchPolicy, level: str, delays: Sequence[int], episodes: int, seed: int
) -> dict[int, tuple[int, int]]:
    """How many episodes a policy solves, and of how many, by delay; the arguments are those of `play_late`."""
    return {
        delay: (sum(bool(row["success"]) for row in play_late(policy, level, delay, episodes, seed)), episodes)
        for delay in delays
    }
