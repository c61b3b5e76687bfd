"""Training-time RTC: a policy that was trained with clean prefixes continues them without guidance.

Black et al. 2025, "Training-Time Action Conditioning for Efficient Real-Time Chunking", arXiv 2512.05964.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.request import VectorRequest
from chunkenv.strategies.denoiser import SAMPLING, Array, PrefixDenoiser
from chunkenv.strategies.requests import draw_noise, generators_of, plan_left, real_rows
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.checks import one_of
from chunkenv.utils.euler import euler
from chunkenv.utils.types import Observation


@dataclass(frozen=True)
class PrefixedEuler:
    """The loop from noise to a chunk that begins with a given prefix, with operators only.

    Attributes:
        steps: Euler steps.
    """

    steps: int

    def __call__(
        self,
        denoiser: PrefixDenoiser,
        observations: Observation,
        noise: Array,
        prefix: Array,
        frozen: Array,
        prefix_length: Array,
    ) -> Array:
        """The clean chunks in the network's space, [N, H, A]; `frozen` [N, H, 1] is 1 where the prefix is, else 0."""
        free = 1 - frozen

        def velocity(chunks: Array, time: float) -> Array:
            return free * denoiser.velocity(observations, chunks, time, prefix_length)

        return euler(velocity, frozen * prefix + free * noise, self.steps)


class TrainingTimeRTC(Strategy[PrefixDenoiser]):
    """Gives the policy the rows that will run during its inference, clean, and lets it complete the chunk.

    The prefix has min(delay estimate, rows left) rows: `request.prefix_length`. The first rows of the chunk are the
    prefix again. A chunk costs what a plain one costs.

    Args:
        policy: a `Denoiser` that was trained with prefixes (`prefix_conditioned` is True) of up to `max_prefix` rows.
        longer_prefix: what to do with a prefix of more rows: 'refuse', or 'cut' (the policy is given its
            first `max_prefix` rows, and does not know of the others).

    Raises:
        ArgumentError: the policy lacks something, or was trained without prefixes, or an invalid argument.
    """

    needs = ("velocity", *SAMPLING)
    instead = "it must be a flow policy (docs/howto/strategies.md); use Naive, which takes any policy"

    def __init__(self, policy: PrefixDenoiser, longer_prefix: str = "refuse") -> None:
        super().__init__(policy)
        self.longer_prefix = one_of("longer_prefix", longer_prefix, ("refuse", "cut"))
        trained = getattr(policy, "prefix_conditioned", False)
        if trained is not True:
            raise ArgumentError(
                f"{type(self).__name__} needs a policy that was trained to continue a prefix; {type(policy).__name__} "
                f"has prefix_conditioned={trained!r}: train one with prefixes, or use RTC, which takes a plain flow "
                "policy."
            )
        self._sample = policy.compile(PrefixedEuler(policy.steps))

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks for many requests, [N, H, A]: one call into what the policy compiled.

        Raises:
            ArgumentError: a prefix longer than the policy was trained with, a request without generators, or chunks
                that are not the policy's.
        """
        plan = plan_left(request, self.policy.prediction_horizon, self.policy.action_size)
        given = self._read_plan(self._check_lengths(request), request)
        planned = self.policy.to_network(plan)
        start = self._start(planned, request)
        chunks = self._sample(observations, start, planned, *given)
        return np.asarray(self.policy.to_actions(chunks))

    def _start(self, planned: np.ndarray, request: VectorRequest) -> np.ndarray:
        """What the free rows begin with, [N, H, A]: noise."""
        return draw_noise(generators_of(request, type(self).__name__), *planned.shape[1:])

    def _read_plan(self, lengths: NDArray[np.int32], request: VectorRequest) -> tuple[np.ndarray, np.ndarray]:
        """What the loop is told of the plan: which rows are frozen, [N, H, 1], and how many, [N]."""
        return real_rows(lengths, self.policy.prediction_horizon).astype(np.float32)[:, :, None], lengths

    def _check_lengths(self, request: VectorRequest) -> NDArray[np.int32]:
        lengths = np.minimum(request.delay_estimate, request.prefix_length)
        longest = int(lengths.max())
        if longest > self.policy.max_prefix and self.longer_prefix == "refuse":
            raise ArgumentError(
                f"A prefix has {longest} rows, but the policy was trained with at most max_prefix="
                f"{self.policy.max_prefix}: choose a delay of at most that, train with longer prefixes, or give "
                "longer_prefix='cut'."
            )
        return np.minimum(lengths, self.policy.max_prefix).astype(np.int32)
