"""The settings that all clocks have, checked."""

from __future__ import annotations

import math
from typing import TypeAlias

from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.checks import one_of, true_or_false, whole_number
from chunkenv.utils.types import is_list

Horizon: TypeAlias = int | tuple[int, int] | None
"""An execution horizon: a number, the least and the largest that the agent may choose, or None for the usual one."""


class ClockSettings:
    """The settings of a clock, and whether its first chunk is still to come."""

    tick: int
    cold: bool
    horizons: tuple[int, int] | None = None

    def __init__(
        self,
        prediction_horizon: int,
        execution_horizon: Horizon = None,
        overlap: bool = True,
        cold_start: str = "free",
        typical_delay: int = 0,
    ) -> None:
        horizon = self.prediction_horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        self.overlap = true_or_false("overlap", overlap)
        expected = whole_number("typical_delay", typical_delay, at_least=0)
        longest = max(1, horizon - expected) if self.overlap else horizon
        if is_list(execution_horizon):
            self.horizons = _read_horizons(execution_horizon, horizon)
            execution_horizon = self.horizons[1]
        self.execution_horizon = _read_horizon(longest if execution_horizon is None else execution_horizon, horizon)
        self.cold_start = one_of("cold_start", cold_start, ("free", "charged"))
        self.reset()

    def reset(self) -> None:
        """Start an episode: nothing of the last one survives."""
        self.tick = 0
        self.cold = True

    @property
    def next_is_free(self) -> bool:
        """Whether the chunk of the next request is there at once, whatever an inference takes."""
        return self.cold and self.cold_start == "free"


def _read_horizon(value: object, prediction_horizon: int) -> int:
    horizon = whole_number("execution_horizon", value, at_least=1)
    if horizon > prediction_horizon:
        raise ArgumentError(
            f"execution_horizon={horizon} is more than prediction_horizon={prediction_horizon}: "
            f"a chunk has only {prediction_horizon} rows to execute; choose one from 1 to {prediction_horizon}."
        )
    return horizon


def _read_horizons(value: object, prediction_horizon: int) -> tuple[int, int]:
    """The least and the largest execution horizon that an agent may choose."""
    pair = [_read_horizon(each, prediction_horizon) for each in value] if is_list(value) else []
    if len(pair) != 2 or pair[0] > pair[1]:
        raise ArgumentError(
            f"execution_horizon={brief(value)} is no choice of horizons; give the least and the largest, such as "
            f"(1, {prediction_horizon})."
        )
    return pair[0], pair[1]


def period_between_requests(
    execution_horizon: int, max_in_flight: int, typical_delay: int, request_period: int | None
) -> int:
    """Ticks that pass at least between two requests.

    With one inference at a time that is s; with k of them max(s, d / k), rounded up, so that they are spread evenly:
    requests as soon as one is free bunch, and leave ticks without a row between the bunches.

    Raises:
        ArgumentError: a `request_period` below the execution horizon, or with one inference at a time.

    >>> period_between_requests(2, 1, 6, None), period_between_requests(1, 3, 7, None)
    (2, 3)
    """
    if request_period is None:
        evenly = math.ceil(typical_delay / max_in_flight) if max_in_flight > 1 else 0
        return max(execution_horizon, evenly)
    period = whole_number("request_period", request_period, at_least=1)
    if max_in_flight == 1:
        raise ArgumentError(
            f"request_period={period} needs several inferences in flight: with max_in_flight=1 the execution horizon "
            "is the period; give execution_horizon, or max_in_flight=2."
        )
    if period < execution_horizon:
        raise ArgumentError(
            f"request_period={period} is less than execution_horizon={execution_horizon}, the ticks between two "
            f"requests; give {execution_horizon} or more, or a shorter execution_horizon."
        )
    return period
