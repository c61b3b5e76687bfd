"""Soft training-time RTC: behind the frozen rows, the rest of the last plan is given in part, between noise and data.

Liu et al. 2026, "Action-Prior Denoising for Smooth Real-Time Chunking", arXiv 2605.25537. Made after its abstract: rows
of the overlap begin as partly denoised states, in training from the data, at inference from the last chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.request import VectorRequest
from chunkenv.strategies.continuation.training_time_rtc import TrainingTimeRTC
from chunkenv.strategies.denoiser import Array, SoftDenoiser
from chunkenv.strategies.prefix_weights import prefix_weights
from chunkenv.utils.checks import whole_number
from chunkenv.utils.euler import euler
from chunkenv.utils.types import Observation


@dataclass(frozen=True)
class SoftlyPrefixedEuler:
    """The loop from noise and a plan to a chunk, with operators only: each row begins between the two.

    Attributes:
        steps: Euler steps.
    """

    steps: int

    def __call__(
        self,
        denoiser: SoftDenoiser,
        observations: Observation,
        noise: Array,
        plan: Array,
        shares: Array,
        weights: Array,
    ) -> Array:
        """The clean chunks in the network's space, [N, H, A]; `shares` are the weights [N, H] as [N, H, 1]."""
        free = 1 - shares

        def velocity(chunks: Array, time: float) -> Array:
            return free * denoiser.velocity(observations, chunks, time, prefix_weights=weights)

        return euler(velocity, shares * plan + free * noise, self.steps)


class SoftTrainingTimeRTC(TrainingTimeRTC):
    """Training-time RTC that also shows the policy what it had planned behind the prefix, so that it moves less.

    The weights of rows are RTC's mask with the schedule 'linear': 1 in the prefix, falling over the next `rows` rows,
    as far as the plan goes; a row of weight w begins as w * plan + (1 - w) * noise, at a flow time of w. A chunk costs
    what a plain one costs. With s = max(1, d) and H = 8 no such row is left at d = 4.

    Args:
        policy: a `SoftDenoiser`, which was trained with such rows.
        rows: how many, at most the policy's `soft_rows`, which None stands for; 0 is `TrainingTimeRTC`.
        longer_prefix: as `TrainingTimeRTC` has it.

    Raises:
        ArgumentError: the policy lacks something, or was trained without such rows, or an invalid argument.
    """

    def __init__(self, policy: SoftDenoiser, rows: int | None = None, longer_prefix: str = "refuse") -> None:
        super().__init__(policy, longer_prefix)
        trained = getattr(policy, "soft_rows", 0)
        if not trained:
            raise ArgumentError(
                f"SoftTrainingTimeRTC needs a policy that was trained with soft rows behind its prefixes; "
                f"{type(policy).__name__} has soft_rows={trained!r}: train one (chunkenv train flow --soft-rows 3), or "
                "use TrainingTimeRTC."
            )
        self.rows = trained if rows is None else whole_number("rows", rows, at_least=0, at_most=trained)
        if self.rows:
            self._sample = policy.compile(SoftlyPrefixedEuler(policy.steps))

    def _read_plan(self, lengths: NDArray[np.int32], request: VectorRequest) -> tuple[np.ndarray, np.ndarray]:
        if not self.rows:  # the hard loop, to the bit: compiled, the soft one rounds in other places
            return super()._read_plan(lengths, request)
        end = np.minimum(lengths + self.rows, request.left_over_length)
        weights = prefix_weights(lengths, end, self.policy.prediction_horizon, "linear")
        return weights[:, :, None], weights
