"""The deadlines of a control loop: one every `control_dt` seconds, counted from its start."""

from __future__ import annotations

import time
from typing import Protocol

LATE = 0.1
"""Share of a period after its deadline from which on a tick is late."""


class ControlClock(Protocol):
    """What a control loop reads the time from, and waits by."""

    def now(self) -> float:
        """Seconds since some moment; they never go back."""
        ...

    def wait_until(self, seconds: float) -> None:
        """Return when `now()` is at least `seconds`; at once if it is already."""
        ...


class MonotonicClock:
    """The clock of this machine that nobody can set.

    >>> clock = MonotonicClock()
    >>> start = clock.now()
    >>> clock.wait_until(start + 0.001)
    >>> clock.now() >= start + 0.001
    True
    """

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def wait_until(self, seconds: float) -> None:
        """Sleep."""
        while (left := seconds - time.monotonic()) > 0.0:
            time.sleep(left)


class Deadlines:
    """The deadlines start + k * control_dt, which stay where they are however late a tick is.

    A tick that is late runs at once, and the next one is on time again: its deadline does not move. A deadline that
    passes while the tick before is still running is missed: no tick is made up for it. So no more than one tick begins
    in each period.

    Args:
        clock: the time.
        control_dt: seconds of a period, more than 0.

    Attributes:
        late: ticks since the start that began more than a tenth of a period after their deadline.
        missed: deadlines since the start that no tick was begun for.

    >>> from chunkenv.realtime import ManualClock
    >>> clock = ManualClock()
    >>> deadlines = Deadlines(clock, control_dt=0.5)
    >>> deadlines.begin()
    >>> deadlines.wait(), clock.now(), deadlines.wait(), clock.now()
    (None, 0.0, None, 0.5)
    >>> clock.advance(1.75)                     # the tick takes three and a half periods
    >>> deadlines.wait(), clock.now(), deadlines.late, deadlines.missed
    (None, 2.25, 1, 2)
    >>> deadlines.wait(), clock.now(), deadlines.late
    (None, 2.5, 1)
    """

    def __init__(self, clock: ControlClock, control_dt: float) -> None:
        self._clock, self._period = clock, control_dt
        self.begin()

    def begin(self) -> None:
        """The first deadline is now."""
        self._start, self._next = self._clock.now(), 0
        self.late = self.missed = 0

    def wait(self) -> None:
        """Wait for the next deadline; return at once if it is over."""
        deadline = self._start + self._next * self._period
        self._clock.wait_until(deadline)
        behind = (self._clock.now() - deadline) / self._period
        missed = int(behind + 1e-9)  # a deadline that is now is not to come
        self.late += behind > LATE
        self.missed += missed
        self._next += 1 + missed
