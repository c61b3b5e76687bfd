"""The clock that goes from tick to tick and learns a delay when the chunk arrives."""

from __future__ import annotations

from typing import NamedTuple

from chunkenv.clock.cycle import UNDERRUN, Source
from chunkenv.clock.settings import ClockSettings
from chunkenv.errors import ArgumentError


class Inference(NamedTuple):
    """An inference of a `TickClock`: which episode's, its number in the episode, and the tick of its request."""

    episode: int
    number: int
    tick: int


class TickClock(ClockSettings):
    """The clock of one environment, tick by tick: it learns a delay when the chunk arrives.

    In each tick, in this order: `arrive` for every chunk that has come, `request` if an inference starts, `next` for
    the row that runs. Several inferences may be under way (overlap): of the chunks that have arrived, the one with the
    newest request acts. With one at a time, requested whenever one `is_due`, everything is as `ChunkClock` has it.

    Args:
        prediction_horizon: this and the others: as `ChunkClock` has them. On a free cold start the clock waits for the
            first chunk: it must arrive in the tick of its request.

    Attributes:
        tick: the present tick: how often `next` was called since the reset.
        cold: whether the first chunk of the episode is still to arrive.
        in_flight: the inferences under way, in the order of their requests.
        underruns: ticks of the episode with no row.
        discarded: rows of the episode that were thrown away: late on arrival, or replaced before their tick. What is
            left when an episode ends is not counted.
        staleness: age in ticks of the observation behind the action of the last tick; -1 for an underrun.

    Raises:
        ArgumentError: for an invalid horizon or cold start.

    >>> clock = TickClock(prediction_horizon=8, execution_horizon=2)
    >>> first = clock.request(tick=0)
    >>> clock.arrive(first, tick=0), clock.next(), clock.next()
    (True, Source(age=0, row=0), Source(age=0, row=1))
    >>> second, prefix = clock.request(tick=2), clock.prefix(delay=1)
    >>> list(prefix), clock.next()
    ([2], Source(age=1, row=2))
    >>> clock.arrive(second, tick=3), clock.next(), clock.discarded
    (True, Source(age=0, row=1), 6)
    """

    _episode = 0

    def reset(self) -> None:
        """Start an episode: the inferences under way are void, and their chunks are dropped when they arrive."""
        super().reset()
        self._episode += 1
        self._requests = self.underruns = self.discarded = 0
        self.staleness = -1
        self.in_flight: list[Inference] = []
        self._acting: Inference | None = None
        self._start = 0  # the tick that row 0 of the acting chunk is meant for

    @property
    def is_due(self) -> bool:
        """Whether a robot with one inference at a time starts one in this tick."""
        return not self.in_flight and (self._acting is None or self.tick - self._start >= self.execution_horizon)

    @property
    def left(self) -> range:
        """Rows that a request of this tick finds left of the acting chunk; none if the robot is synchronous."""
        return self._remaining() if self.overlap else range(0)

    def prefix(self, delay: int) -> range:
        """Rows of the acting chunk that will run while an inference of `delay` ticks is under way.

        If another chunk arrives before, which takes several inferences in flight, they are replaced.
        """
        return self.left[:delay]

    def request(self, tick: int) -> Inference:
        """Start an inference from the observation of `tick`.

        Returns:
            What `arrive` is told when its chunk is there.

        Raises:
            ArgumentError: `tick` is not the present one, or a synchronous robot already waits for a chunk.
        """
        self._expect_now(tick)
        if not self.overlap and self.in_flight:
            raise ArgumentError(
                f"request(tick={tick}) is the second at once, but overlap=False waits for one chunk at a time: "
                "call arrive first, or choose overlap=True."
            )
        if not self.overlap:
            self._drop_acting()
        inference = Inference(self._episode, self._requests, tick)
        self._requests += 1
        self.in_flight.append(inference)
        return inference

    def arrive(self, inference: Inference, tick: int) -> bool:
        """Learn that a chunk may act from `tick` on; its delay is `tick - inference.tick`.

        Returns:
            Whether it acts; if not, a newer one does (its rows count as discarded), or a reset has made it void.

        Raises:
            ArgumentError: `tick` is not the present one, or the chunk has arrived before.
        """
        if inference.episode != self._episode:
            return False
        self._expect_now(tick)
        if inference not in self.in_flight:
            raise ArgumentError(f"{inference} is not in flight: call arrive once, with what request returned.")
        self.in_flight.remove(inference)
        if self._acting is not None and self._acting.number > inference.number:
            self.discarded += self.prediction_horizon
            return False
        self._drop_acting()
        self._acting, self._start = inference, inference.tick if self.overlap else tick
        self.discarded += self.prediction_horizon - len(self._remaining())
        self.cold = False
        return True

    def next(self) -> Source:
        """What runs in the present tick, which is over then: a row, or `UNDERRUN`.

        Raises:
            ArgumentError: on a free cold start, before the first chunk has arrived.
        """
        if self.next_is_free:
            raise ArgumentError(
                f"cold_start='free' has the first chunk at once, but none has arrived by tick {self.tick}: call "
                "request and arrive before next, or choose cold_start='charged'."
            )
        source, self.staleness = UNDERRUN, -1
        if self._acting is not None and (rows := self._remaining()):
            source = Source(self._requests - 1 - self._acting.number, rows.start)
            self.staleness = self.tick - self._acting.tick
        self.underruns += source is UNDERRUN
        self.tick += 1
        return source

    def _remaining(self) -> range:
        """Rows of the acting chunk that no tick has run or passed over."""
        if self._acting is None:
            return range(0)
        return range(min(self.tick - self._start, self.prediction_horizon), self.prediction_horizon)

    def _drop_acting(self) -> None:
        self.discarded += len(self._remaining())
        self._acting = None

    def _expect_now(self, tick: int) -> None:
        if tick != self.tick:
            raise ArgumentError(f"tick={tick} is not the present tick: give {self.tick}, and call next for every tick.")
