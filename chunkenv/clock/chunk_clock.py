"""The clock that goes from request to request, as a simulation does, which knows the delay beforehand."""

from __future__ import annotations

from chunkenv.clock.cycle import Cycle, Steady, plan_cycle
from chunkenv.clock.settings import ClockSettings


class ChunkClock(ClockSettings):
    """The clock of one environment, cycle by cycle: the rows left, and what a request with a given delay will play.

    Args:
        prediction_horizon: rows in a chunk, H >= 1.
        execution_horizon: ticks between two requests, 1 <= s <= H. None: as many as leave rows for an inference of
            `typical_delay` ticks, H - typical_delay, at least 1; H for a synchronous robot.
        overlap: whether the robot goes on with the previous chunk during inference; False is the synchronous robot.
        cold_start: 'free' (the first chunk is there at once, as in RTC) or 'charged' (it takes its delay).
        typical_delay: ticks that an inference is expected to take, at least 0.

    Attributes:
        tick: control steps since the reset.
        left: rows left of the previous chunk.
        cold: whether the first request of the episode is still to come.

    Raises:
        ArgumentError: for an invalid horizon, overlap, cold start or typical delay.

    >>> clock = ChunkClock(prediction_horizon=8, execution_horizon=4)
    >>> clock.advance(clock.cycle(delay=2))         # the first chunk is free
    >>> clock.tick, list(clock.prefix(delay=2)), list(clock.left)
    (4, [4, 5], [4, 5, 6, 7])
    >>> ChunkClock(prediction_horizon=8, typical_delay=2).execution_horizon
    6
    """

    max_in_flight = 1

    def reset(self) -> None:
        """Start an episode: nothing of the last one survives."""
        super().reset()
        self.left = range(0)

    def cycle(self, delay: int, execution_horizon: int | None = None) -> Cycle:
        """What the request of this tick plays if its inference takes `delay` ticks (0 on a free cold start).

        Args:
            delay: in ticks.
            execution_horizon: ticks until the next request, if the agent chose them; None: the clock's.
        """
        horizon = self.execution_horizon if execution_horizon is None else execution_horizon
        real = 0 if self.cold and self.cold_start == "free" else delay  # `next_is_free`, on the way of every step
        return plan_cycle(self.prediction_horizon, horizon, self.overlap, self.left, real)

    def steady_cycle(self, delay: int) -> Cycle:
        """What every request plays but the first, if each inference takes `delay` ticks.

        >>> ChunkClock(prediction_horizon=8, execution_horizon=7).steady_cycle(delay=2).underruns
        1
        """
        before = self._plan(range(0), delay)
        return self._plan(before.left_after(before.ticks), delay)

    def steady(self, delay: int) -> Steady:
        """What every decision but the first comes to, if each inference takes `delay` ticks."""
        cycle = self.steady_cycle(delay)
        return Steady(1, cycle.ticks, cycle.underruns)

    def prefix(self, delay: int) -> range:
        """Rows of the previous chunk that will run while an inference of `delay` ticks is under way."""
        return self.cycle(delay).prefix

    def advance(self, cycle: Cycle, played: int | None = None) -> None:
        """Go on by `played` ticks of `cycle` (all, if None)."""
        played = cycle.ticks if played is None else played
        self.tick += played
        self.left = cycle.left_after(played)
        self.cold = False

    def _plan(self, left: range, delay: int) -> Cycle:
        return plan_cycle(self.prediction_horizon, self.execution_horizon, self.overlap, left, delay)
