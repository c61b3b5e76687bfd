"""How much each row of a new chunk is held to what is left of the previous one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chunkenv.errors import ArgumentError, brief
from chunkenv.request import VectorRequest
from chunkenv.utils.checks import one_of, whole_number

SCHEDULES = ("exp", "linear", "ones", "zeros")


def prefix_weights(
    start: ArrayLike, end: ArrayLike, prediction_horizon: int, schedule: str = "exp"
) -> NDArray[np.float32]:
    """The soft mask of Real-Time Chunking (Black et al. 2025, arXiv 2506.07339, equation 5 and released code).

    1 for the rows before `start`, which will run in any case; 0 from `end` on, where there is no plan; between
    them falling, by `schedule`: 'linear', 'exp' (w * expm1(w) / (e - 1) of the linear w), 'ones' or 'zeros' (hard
    masking: the frozen rows only).

    Args:
        start: rows that are frozen, int or int[N]; more than `end` counts as `end`.
        end: the first row without a plan, int or int[N].
        prediction_horizon: rows in a chunk, H.
        schedule: one of `SCHEDULES`.

    Returns:
        float32[H], or float32[N, H].

    Raises:
        ArgumentError: an unknown schedule, or a start or an end that is no row of a chunk.

    >>> prefix_weights(2, 6, 10, "linear").round(1).tolist()
    [1.0, 1.0, 0.800000011920929, 0.6000000238418579, 0.4000000059604645, 0.20000000298023224, 0.0, 0.0, 0.0, 0.0]
    >>> prefix_weights(2, 4, 5, "zeros").tolist(), prefix_weights(2, 4, 5, "ones").tolist()
    ([1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0])
    """
    horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
    one_of("schedule", schedule, SCHEDULES)
    ends = _check_rows("end", end, horizon)[..., None]
    starts = np.minimum(_check_rows("start", start, horizon)[..., None], ends)
    row = np.arange(horizon)
    weights = np.where(row < ends, _decay(row, starts, ends, schedule), 0.0)
    return weights.astype(np.float32)


def request_weights(request: VectorRequest, prediction_horizon: int, schedule: str = "exp") -> NDArray[np.float32]:
    """`prefix_weights` of each request: frozen are the rows of its prefix, and the plan ends with its real rows.

    RTC lets the mask end at H - s. That is where the rows left end too, unless the last cycle was a longer one; rows
    that are not left have no weight.

    Returns:
        float32[N, H].
    """
    end = np.minimum(request.left_over_length, max(prediction_horizon - request.execution_horizon, 0))
    return prefix_weights(np.minimum(request.delay_estimate, end), end, prediction_horizon, schedule)


def _decay(row: np.ndarray, start: np.ndarray, end: np.ndarray, schedule: str) -> np.ndarray:
    if schedule == "ones":
        return np.ones(np.broadcast_shapes(row.shape, start.shape))
    if schedule == "zeros":
        return np.where(row < start, 1.0, 0.0)
    weights = np.clip((start - 1 - row) / (end - start + 1) + 1, 0.0, 1.0)
    return weights * np.expm1(weights) / (math.e - 1) if schedule == "exp" else weights


def _check_rows(name: str, value: ArrayLike, horizon: int) -> NDArray[np.int64]:
    rows = np.asarray(value)
    if rows.dtype.kind not in "iu" or rows.ndim > 1 or (rows < 0).any() or (rows > horizon).any():
        raise ArgumentError(
            f"{name}={brief(value)} is no number of rows; give an int (or one for each request) from 0 to {horizon}."
        )
    return rows.astype(np.int64)
