"""The arguments of chunked execution, read once for one environment and for many."""

from __future__ import annotations

import warnings
from typing import Any

from gymnasium import spaces

from chunkenv.clock import ChunkClock
from chunkenv.errors import ArgumentError, StaleChunkWarning, brief
from chunkenv.latency import Delays, LatencyModel
from chunkenv.request import DelayEstimate
from chunkenv.utils.checks import one_of, real_number
from chunkenv.utils.spaces import chunk_space
from chunkenv.wrappers.prefix_observation import PrefixObservation
from chunkenv.wrappers.underrun import Underrun, plain


class ChunkSettings:
    """The arguments of `ChunkedExecution`, whose docstring explains them, checked and made into what uses them.

    Args:
        action_space: of one environment.
        observation_space: of one environment.
        control_dt: seconds per tick, None if nobody knows.

    Attributes:
        clock: the clock of one environment.
        delays: the delays of one environment.
        discount: per tick.
        full: whether info is 'full'.
        account: whether info accounts for every tick: 'actions' or 'full'.
        estimate: the delay estimate of one environment.
        chunks: the space of chunks.
        underrun: what acts in a tick without a row.
        observe: what puts the prefix into an observation, or None.
        plain: the arguments as plain data, but for `control_dt`.

    Raises:
        ArgumentError: for an argument that cannot be meant.
    """

    def __init__(
        self,
        action_space: spaces.Space[Any],
        observation_space: spaces.Space[Any],
        control_dt: float | None,
        *,
        prediction_horizon: int,
        execution_horizon: int | None,
        latency: int | LatencyModel | dict[str, Any],
        overlap: bool,
        underrun: Any,
        cold_start: str,
        discount: float,
        observe_prefix: bool | str,
        delay_estimate: str,
        info: str,
        first_action: Any,
    ) -> None:
        self.clock = ChunkClock(prediction_horizon, execution_horizon, overlap, cold_start)
        self.delays = Delays(latency, control_dt)
        self.discount = real_number("discount", discount, at_least=0.0, at_most=1.0)
        self.full = one_of("info", info, ("basic", "actions", "full")) == "full"
        self.account = info != "basic"
        self.estimate = DelayEstimate(delay_estimate, prior=self.delays.typical)
        self.chunks = chunk_space(action_space, self.clock.prediction_horizon)
        late_first = cold_start == "charged" and self.delays.constant != 0
        self.underrun = Underrun(underrun, action_space, first_action, may_come_first=late_first)
        self.observe = _observer(observe_prefix, observation_space, self.chunks)
        self.plain: dict[str, Any] = {
            "prediction_horizon": self.clock.prediction_horizon,
            "execution_horizon": self.clock.execution_horizon,
            "latency": self.delays.plain,
            "overlap": overlap,
            "underrun": plain(underrun, action_space),
            "cold_start": cold_start,
            "discount": self.discount,
            "observe_prefix": observe_prefix,
            "delay_estimate": delay_estimate,
            "info": info,
            "first_action": plain(first_action, action_space),
        }

    def warn_if_stale(self, stacklevel: int) -> None:
        """Warn if most chunks will come after their last row's tick; `stacklevel` as in `warnings.warn`."""
        if self.clock.overlap and self.delays.typical > self.clock.prediction_horizon:
            message = _stale(self.delays, self.clock.prediction_horizon)
            warnings.warn(message, StaleChunkWarning, stacklevel=stacklevel + 1)


def _observer(wish: Any, observation_space: spaces.Space[Any], chunks: spaces.Space[Any]) -> PrefixObservation | None:
    if not (isinstance(wish, bool) or wish == "flat"):
        raise ArgumentError(f"observe_prefix={wish!r} is unknown; choose True, False or 'flat'.")
    return PrefixObservation(observation_space, chunks, flat=wish == "flat") if wish else None


def _stale(delays: Delays, horizon: int) -> str:
    return (
        f"latency={brief(delays.plain)} is {delays.typical} ticks on average, more than prediction_horizon={horizon}: "
        "most chunks will arrive after their last row's tick and never act; use longer chunks, a longer control_dt, or "
        "overlap=False."
    )
