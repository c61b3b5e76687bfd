"""The settings that all clocks have, checked."""

from __future__ import annotations

from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, true_or_false, whole_number


class ClockSettings:
    """The settings of a clock, and whether its first chunk is still to come."""

    tick: int
    cold: bool

    def __init__(
        self,
        prediction_horizon: int,
        execution_horizon: int | None = None,
        overlap: bool = True,
        cold_start: str = "free",
        typical_delay: int = 0,
    ) -> None:
        horizon = self.prediction_horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        self.overlap = true_or_false("overlap", overlap)
        longest = max(1, horizon - typical_delay) if self.overlap else horizon
        executed = longest if execution_horizon is None else execution_horizon
        self.execution_horizon = whole_number("execution_horizon", executed, at_least=1)
        if self.execution_horizon > horizon:
            raise ArgumentError(
                f"execution_horizon={self.execution_horizon} is more than prediction_horizon={horizon}: "
                f"a chunk has only {horizon} rows to execute; choose one from 1 to {horizon}."
            )
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
