"""An inference under way, as the control loop keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chunkenv.clock import Inference, first_usable
from chunkenv.realtime.decision_account import DecisionAccount
from chunkenv.realtime.inferring import Answer
from chunkenv.request import Chunk


@dataclass
class UnderWay:
    """An inference under way.

    Attributes:
        inference: its number for the clock.
        asked: seconds at which it began.
        late: ticks that were late by then.
        expected: ticks that it was expected to take.
        promise: what its prefix showed: the number of a chunk, and its row, tick by tick.
        account: of its decision.
        chunk: where rows stream, those that have come, filled up to H rows.
        row_delays: ticks until control had each of them.
    """

    inference: Inference
    asked: float
    late: int
    expected: int
    promise: list[tuple[int, int]]
    account: DecisionAccount
    chunk: Chunk = None
    row_delays: list[int] = field(default_factory=list[int])

    def note(self, answer: Answer, delay: int) -> None:
        """Rows have come, after `delay` ticks; one that came before, or a failure, changes nothing."""
        if answer.rows:
            self.chunk = answer.chunk
            self.row_delays += [delay] * (answer.rows - len(self.row_delays))

    def delay(self, otherwise: int, overlap: bool) -> int:
        """Ticks until the chunk could act: until its first row in time was there; `otherwise` where no row came."""
        return first_usable(tuple(self.row_delays), overlap) if self.row_delays else otherwise

    def delays_of_rows(self, prediction_horizon: int) -> NDArray[np.int64]:
        """Ticks until control had each row; -1 for one that never came."""
        missing = prediction_horizon - len(self.row_delays)
        return np.array([*self.row_delays, *[-1] * missing], np.int64)
