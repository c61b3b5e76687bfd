"""PAINT: the noise whose chunk begins with the prefix is found by running the flow backwards, without a gradient.

"Start Right, Arrive Right: Asynchronous Execution via Initial Noise Selection", 2026, arXiv 2606.19774.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.request import VectorRequest
from chunkenv.strategies.continuation.rtc import guide_where
from chunkenv.strategies.costs import Cost, cost_of_velocities
from chunkenv.strategies.denoiser import SAMPLING, Array, Denoiser
from chunkenv.strategies.requests import plan_left, real_rows
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.checks import whole_number
from chunkenv.utils.euler import PlainEuler
from chunkenv.utils.types import Observation


@dataclass(frozen=True)
class PaintedEuler:
    """The loop from noise to a chunk that begins about as a plan does, with operators only.

    Attributes:
        steps: Euler steps.
        iterations: fixed-point iterations for each of these steps, when they are undone.
    """

    steps: int
    iterations: int

    def __call__(
        self, denoiser: Denoiser, observations: Observation, noise: Array, plan: Array, frozen: Array
    ) -> Array:
        """The clean chunks in the network's space, [N, H, A]; `frozen` [N, H, 1] is 1 where the prefix is, else 0."""
        flow = PlainEuler(self.steps)
        plain = flow(denoiser, observations, noise)
        found = self._invert(denoiser, observations, frozen * plan + (1 - frozen) * plain)
        return flow(denoiser, observations, frozen * found + (1 - frozen) * noise)

    def _invert(self, denoiser: Denoiser, observations: Observation, chunks: Array) -> Array:
        """The noise of clean chunks: each Euler step solved for where it began, the last step first."""
        for step in reversed(range(self.steps)):
            end = chunks
            for _ in range(self.iterations):
                chunks = end - denoiser.velocity(observations, chunks, step / self.steps) / self.steps
        return chunks


class PAINT(Strategy[Denoiser]):
    """Chooses the noise of the rows that will run during the inference so that the flow leads to what will run.

    Three passes: the plain chunk; the flow backwards from that chunk with the prefix in its first rows, by backward
    Euler steps, each solved by `iterations` fixed-point iterations; the flow from the noise found for the prefix rows
    and from the plain chunk's noise for the others. The prefix has min(delay estimate, rows left) rows, as in
    `TrainingTimeRTC`. Where it has none, the chunk is the plain policy's, to the bit, in any batch.

    The first rows of the chunk that is returned are the prefix itself. The flow comes near to it only, and a chunk that
    is there sooner than expected must not break what its later rows continue.

    Where no row depends on the noise of a later one, and the iterations have converged, the later rows have exactly
    the distribution that the sampler gives them if the prefix is known. Elsewhere this is an approximation: the noise
    of the later rows should know of the prefix, and it does not.

    Args:
        policy: a `Denoiser`; no gradient is needed.
        iterations: fixed-point iterations for a step, at least 1. The paper has one evaluation for a step. More are of
            use where an Euler step moves chunks little: an iteration shrinks the error by the step's Lipschitz
            constant, and grows it if that is above 1.

    Raises:
        ArgumentError: the policy lacks something, or an invalid number.
    """

    needs = ("velocity", *SAMPLING)
    instead = "it must be a flow policy (docs/howto/flow.md); use Naive or BID, which take any policy that samples"

    def __init__(self, policy: Denoiser, iterations: int = 1) -> None:
        super().__init__(policy)
        self.iterations = whole_number("iterations", iterations, at_least=1)
        self._sample = policy.compile(PaintedEuler(policy.steps, self.iterations))

    @property
    def cost(self) -> Cost:
        """Of a chunk with a prefix: two passes, and one backwards in which a step is `iterations` evaluations."""
        evaluations = (2 + self.iterations) * self.policy.steps
        return cost_of_velocities(self.policy, evaluations, 0)

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks for many requests, [N, H, A]: one call into what the policy compiled for those with a prefix.

        Raises:
            ArgumentError: the request has no generators, its chunks are not the policy's, or the flow led to NaN.
        """
        plan = plan_left(request, self.policy.prediction_horizon, self.policy.action_size)
        lengths = np.minimum(request.delay_estimate, request.prefix_length)
        frozen = real_rows(lengths, plan.shape[1])[:, :, None]

        def paint(noise: np.ndarray) -> np.ndarray:
            given = self.policy.to_network(plan), frozen.astype(np.float32)
            chunks = np.asarray(self.policy.to_actions(self._sample(observations, noise, *given)))
            return np.where(frozen, plan, chunks)

        return self._check_finite(guide_where(self, lengths > 0, paint, observations, request))

    def _check_finite(self, chunks: np.ndarray) -> np.ndarray:
        broken = int((~np.isfinite(chunks)).any(axis=(1, 2)).sum())
        if broken:
            raise ArgumentError(
                f"PAINT's flow led to NaN or infinite numbers in {broken} of {len(chunks)} chunks: with "
                f"iterations={self.iterations} the inversion of a step diverges, or the policy itself is broken; give "
                "iterations=1, check the policy under Naive, or use RTC."
            )
        return chunks
