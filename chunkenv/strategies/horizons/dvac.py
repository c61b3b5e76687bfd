"""DVAC: a chunk is executed up to the row that the last denoising steps still moved more than usual.

"Denoising Tells When to Replan: Denoising-Variance Adaptive Chunking for Flow-Based Robot Policies", Feng et al. 2026,
arXiv 2606.03847.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.request import VectorRequest
from chunkenv.strategies.denoiser import SAMPLING, Array, Denoiser
from chunkenv.strategies.horizons.rolling_threshold import RollingThreshold
from chunkenv.strategies.requests import draw_noise, generators_of
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.checks import whole_number
from chunkenv.utils.euler import euler
from chunkenv.utils.types import Observation

CHUNKS_FIRST = np.array([1, 0], np.float32).reshape(2, 1, 1, 1)
"""Puts two arrays [N, H, A] into one [2, N, H, A] by operators: a loop returns one array."""


@dataclass(frozen=True)
class WatchedEuler:
    """The plain loop from noise to chunks, which also says how the clean chunk that it expects moved.

    Attributes:
        steps: Euler steps.
        last: how many of the last expected chunks are compared.
    """

    steps: int
    last: int

    def __call__(self, denoiser: Denoiser, observations: Observation, noise: Array, chunks_first: Array) -> Array:
        """The clean chunks in the network's space, and the variances of what was expected of them, [2, N, H, A]."""
        expected: list[Array] = []

        def watched(chunks: Array, time: float) -> Array:
            velocity = denoiser.velocity(observations, chunks, time)
            expected.append(chunks + (1 - time) * velocity)
            return velocity

        chunks = euler(watched, noise, self.steps)
        compared = expected[-self.last :]
        mean = sum(compared) / self.last
        variance = sum((each - mean) ** 2 for each in compared) / self.last
        return chunks_first * chunks + (1 - chunks_first) * variance


class DVAC(Strategy[Denoiser]):
    """The plain chunk, executed up to the row on which the last expected clean chunks differ more than usual.

    A row's spread is the variance over the last expected chunks, summed over the numbers of an action;
    `RollingThreshold` says what is usual. Needs an environment with `execution_horizon=(low, high)`. A chunk costs what
    a plain one costs.

    Args:
        policy: a `Denoiser`.
        alpha: standard deviations above the mean that are unusual.
        window: decisions that say what is usual.
        last: expected chunks that are compared, at least 2. The paper has 5 of 10 Euler steps; None is half the steps,
            rounded up.

    Raises:
        ArgumentError: the policy lacks something, or invalid numbers.
    """

    needs = ("velocity", *SAMPLING)
    instead = "it must be a flow policy (docs/howto/flow.md); use AdaptiveHorizon, which takes any policy that samples"

    def __init__(self, policy: Denoiser, alpha: float = 2.0, window: int = 5, last: int | None = None) -> None:
        super().__init__(policy)
        self.last = _check_last(last, policy.steps)
        self._threshold = RollingThreshold(alpha, window)
        self._sample = policy.compile(WatchedEuler(policy.steps, self.last))

    def reset(self) -> None:
        """Start an episode in every row."""
        super().reset()
        self._threshold.forget()

    def infer_batch(self, observations: Observation, request: VectorRequest) -> tuple[np.ndarray, np.ndarray]:
        """The chunks for many requests, [N, H, A], and how long each is executed, int64[N].

        Raises:
            ArgumentError: the request has no generators or no horizons to choose from, or the batch has another size
                than the one before it.
        """
        generators = generators_of(request, "DVAC")
        noise = draw_noise(generators, self.policy.prediction_horizon, self.policy.action_size)
        chunks, variance = self._sample(observations, noise, CHUNKS_FIRST)
        horizons = self._threshold.horizons(variance.sum(axis=-1), request)
        return np.asarray(self.policy.to_actions(chunks)), horizons


def _check_last(last: int | None, steps: int) -> int:
    last = max(2, (steps + 1) // 2) if last is None else whole_number("last", last, at_least=2)
    if last > steps:
        raise ArgumentError(
            f"last={last} is more than the policy's {steps} Euler steps; choose one from 2 to the number of its steps."
        )
    return last
