"""How long a chunk is executed whose rows are not equally sure: up to the first that is less sure than usual.

The rule of DVAC (Feng et al. 2026, arXiv 2606.03847, equations 5 to 7), under inference delay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.request import VectorRequest
from chunkenv.utils.checks import real_number, whole_number


class RollingThreshold:
    """Mean plus `alpha` standard deviations of the spreads of all rows in an episode's last `window` decisions.

    The unit of the spreads does not matter, and no task needs a number of its own. The first decision of an episode is
    held to its own rows. Each row of a batch has a memory of its own, and begins anew wherever `request.tick` is 0.

    Args:
        alpha: the lower, the sooner the policy is asked again; the paper's is 2.
        window: decisions that are remembered, at least 1; the paper's is 5.

    Raises:
        ArgumentError: an invalid number.
    """

    def __init__(self, alpha: float, window: int) -> None:
        self.alpha = real_number("alpha", alpha)
        self.window = whole_number("window", window, at_least=1)
        self.forget()

    def forget(self) -> None:
        """Start an episode in every row."""
        self._recent = np.zeros((0, self.window, 0))

    def horizons(self, spread: NDArray[np.floating], request: VectorRequest) -> NDArray[np.int64]:
        """The execution horizons of N chunks, int64[N], within `request.horizons`.

        With a delay of d ticks, rows d to s + d - 1 of a chunk run. So if row r is the first whose spread is above the
        threshold, s is r - d; if there is none, the largest.

        Args:
            spread: of each row of each chunk, [N, H].
            request: of these chunks.

        Raises:
            ArgumentError: the batch has another size than the one before it.
        """
        known = self._recall(spread, request.tick == 0).reshape(len(spread), -1)
        threshold = np.nanmean(known, axis=1) + self.alpha * np.nanstd(known, axis=1)
        unsure = spread > threshold[:, None]
        end = np.ones((len(unsure), 1), bool)
        rows = np.argmax(np.hstack([unsure, end]), axis=1)
        return np.clip(rows - request.delay_estimate, *choices_of(request))

    def _recall(self, spread: np.ndarray, begins: NDArray[np.bool_]) -> np.ndarray:
        """The spreads that these are held to, [N, window, H], NaN where there is none yet; then remember these."""
        if begins.all() or not len(self._recent):
            self._recent = np.full((len(spread), self.window, spread.shape[1]), np.nan)
        if len(self._recent) != len(spread):
            raise ArgumentError(
                f"infer_batch was given {len(spread)} observations after {len(self._recent)}; keep to one number "
                "within episodes, or call reset() before."
            )
        before = np.where(begins[:, None, None], np.nan, self._recent)
        self._recent = np.concatenate([before[:, 1:], spread[:, None]], axis=1)
        return np.where(np.isnan(before[:, -1:]), spread[:, None], before)


def choices_of(request: VectorRequest) -> tuple[int, int]:
    """The least and the largest horizon that may be chosen.

    Raises:
        ArgumentError: the environment lets nobody choose.
    """
    if request.horizons is None:
        raise ArgumentError(
            f"The request has horizons=None: the environment asks every {request.execution_horizon} ticks, whatever "
            "the policy says; make it with execution_horizon=(low, high), or use the policy without a chosen horizon."
        )
    return request.horizons
