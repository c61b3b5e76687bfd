"""Which delays and execution horizons a study may combine."""

from __future__ import annotations

from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number


def check_schedule(delay: int, execution_horizon: int, prediction_horizon: int) -> None:
    """Refuse a delay and an execution horizon that leave ticks without a row.

    Raises:
        ArgumentError: unless delay <= execution_horizon <= prediction_horizon - delay.
    """
    whole_number("delay", delay, at_least=0)
    whole_number("execution_horizon", execution_horizon, at_least=1)
    if not delay <= execution_horizon <= prediction_horizon - delay:
        raise ArgumentError(
            f"delay={delay} with execution_horizon={execution_horizon} and prediction_horizon={prediction_horizon} "
            "leaves ticks without a row; choose delay <= execution_horizon <= prediction_horizon - delay."
        )
