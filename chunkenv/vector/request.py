"""What N environments ask of a policy at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class VectorRequest(NamedTuple):
    """N inferences, as their policy sees them: `chunkenv.Request`, batched.

    Rows beyond the lengths are filling (zeros, where zero is an action), not a plan. An environment that has ended
    shows the request behind its last observation, or an empty one if it terminated.

    Attributes:
        tick: int64[N], control steps since each one's reset.
        prefix: [N, H, ...], rows of the previous chunk that will run while this inference is under way, if its delay is
            `delay_estimate`; in the layout of N chunks.
        prefix_length: int64[N], the number of real rows in `prefix`.
        delay_estimate: int64[N], ticks that each inference is expected to take.
        execution_horizon: ticks until the next request, s, unless the delay is longer.
        left_over: [N, H, ...], all rows left of the previous chunk, the prefix first.
        left_over_length: int64[N], the number of real rows in `left_over`.
        rng: N random streams, one for each environment's episode; None unless `chunkenv.evaluate_batch` gave them.
    """

    tick: np.ndarray
    prefix: Any
    prefix_length: np.ndarray
    delay_estimate: np.ndarray
    execution_horizon: int
    left_over: Any
    left_over_length: np.ndarray
    rng: tuple[np.random.Generator, ...] | None = None
