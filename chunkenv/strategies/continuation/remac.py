"""REMAC: a policy that was tuned to correct its own plans goes on from the last one.

Wang et al. 2026, "Real-Time Robot Execution with Masked Action Chunking", arXiv 2601.20130.
"""

from __future__ import annotations

import numpy as np

from chunkenv.request import VectorRequest
from chunkenv.strategies.continuation.training_time_rtc import TrainingTimeRTC
from chunkenv.strategies.requests import real_rows


class REMAC(TrainingTimeRTC):
    """Training-time RTC's loop, with the last plan in the place of noise: nothing is drawn.

    Prefix-preserving sampling: the rows that will run during the inference are frozen; the others begin with what the
    last chunk had for their ticks, and with zeros, the mean action of the data, where it had nothing. A chunk costs
    what a plain one costs.

    Args:
        policy: as `TrainingTimeRTC` has it; `chunkenv train remac` makes the weights that this is meant for.
        longer_prefix: as `TrainingTimeRTC` has it.

    Raises:
        ArgumentError: the policy lacks something, or was trained without prefixes, or an invalid argument.
    """

    def _start(self, planned: np.ndarray, request: VectorRequest) -> np.ndarray:
        real = real_rows(request.left_over_length, self.policy.prediction_horizon)
        return np.where(real[:, :, None], planned, np.float32(0))
