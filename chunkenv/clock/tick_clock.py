"""The clock that goes from tick to tick and learns a delay when the chunk arrives."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from chunkenv.clock.cycle import UNDERRUN, Source
from chunkenv.clock.settings import ClockSettings, Horizon, period_between_requests
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number

Delay: TypeAlias = int | tuple[int, ...]
"""Ticks until a chunk is there; or until each of its rows is there, nondecreasing: rows beyond the last never come."""


def first_usable(delay: Delay, overlap: bool = True) -> int:
    """Ticks after which a chunk may first act: when the row of the present tick is there.

    Where rows come too late for all their ticks, it is when the last has come. A synchronous robot begins with row 0.

    >>> first_usable(3), first_usable((1, 1, 4, 4)), first_usable((2, 3, 3, 3)), first_usable((1, 2, 3))
    (3, 1, 3, 3)
    """
    if isinstance(delay, int):
        return delay
    if not overlap:
        return delay[0]
    return next((row for row, there in enumerate(delay) if there <= row), delay[-1])


class Inference(NamedTuple):
    """An inference of a `TickClock`: which episode's, its number in the episode, and the tick of its request."""

    episode: int
    number: int
    tick: int


class TickClock(ClockSettings):
    """The clock of one environment, tick by tick: it learns a delay when the chunk arrives.

    In each tick, in this order: `arrive` for every chunk that has come, `request` if one `is_due`, `next` for the row
    that runs. Several inferences may be in flight: of the chunks that have arrived, the one with the newest request
    acts, and an older one that comes later is dropped. With one at a time everything is as `ChunkClock` has it.

    Rows may also stream: `arrive` then tells how many of a chunk's first rows are there. It acts from the first tick
    whose row is there, and never gives way to an older one; a tick whose row is missing is an underrun. The inference
    is under way until it has finished.

    Args:
        prediction_horizon: this and the others: as `ChunkClock` has them. On a free cold start the clock waits for the
            first chunk: it must arrive in the tick of its request.
        max_in_flight: inferences under way at a time, k >= 1; more than one needs overlap.
        request_period: ticks that pass at least between two requests; None: s for k = 1, else max(s, typical_delay / k)
            rounded up.

    Attributes:
        tick: the present tick: how often `next` was called since the reset.
        cold: whether the first chunk of the episode is still to arrive.
        requests: how many were made since the reset.
        in_flight: the inferences under way, in the order of their requests.
        underruns: ticks of the episode with no row.
        discarded: rows of the episode that were thrown away: late on arrival, replaced before their tick, or missing
            in it. What is left when an episode ends is not counted.
        overtaken: chunks of the episode that never acted, because a newer one had arrived before.
        staleness: age in ticks of the observation behind the action of the last tick; -1 for an underrun.

    Raises:
        ArgumentError: for an invalid horizon, overlap, cold start, typical delay, number of inferences or period; for
            several inferences in flight without overlap, or with horizons to choose from.

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

    def __init__(
        self,
        prediction_horizon: int,
        execution_horizon: Horizon = None,
        overlap: bool = True,
        cold_start: str = "free",
        typical_delay: int = 0,
        max_in_flight: int = 1,
        request_period: int | None = None,
    ) -> None:
        self.max_in_flight = whole_number("max_in_flight", max_in_flight, at_least=1)
        super().__init__(prediction_horizon, execution_horizon, overlap, cold_start, typical_delay)
        self.request_period = period_between_requests(
            self.execution_horizon, self.max_in_flight, typical_delay, request_period
        )
        self._period = self.request_period
        if self.max_in_flight > 1 and not self.overlap:
            raise ArgumentError(
                f"max_in_flight={self.max_in_flight} needs overlap=True: a synchronous robot waits for each chunk; "
                "give max_in_flight=1, or overlap=True."
            )
        if self.max_in_flight > 1 and self.horizons:
            raise ArgumentError(
                f"max_in_flight={self.max_in_flight} makes the next request before the chunk arrives that would choose "
                f"from execution_horizon={self.horizons}: give one execution horizon, or max_in_flight=1."
            )

    def reset(self) -> None:
        """Start an episode: the inferences under way are void, and their chunks are dropped when they arrive."""
        super().reset()
        self._episode += 1
        self.requests = self.underruns = self.discarded = self.overtaken = 0
        self.staleness = -1
        self.in_flight: list[Inference] = []
        self._acting: Inference | None = None
        self._start = 0  # the tick that row 0 of the acting chunk is meant for
        self._rows = 0  # how many rows of the acting chunk are there
        self._replaced: frozenset[Inference] = frozenset()  # in flight, but their first rows have acted
        self._last_request = 0

    @property
    def is_due(self) -> bool:
        """Whether a request is made in this tick: the period is over, and fewer than the most are in flight."""
        if len(self.in_flight) >= self.max_in_flight:
            return False
        if self.overlap:
            return not self.requests or self.tick - self._last_request >= self._period
        return self._acting is None or self.tick - self._start >= self._period

    @property
    def waited_for(self) -> list[Inference]:
        """The inferences under way of whose chunks no row could act yet, in the order of their requests."""
        return [each for each in self.in_flight if each != self._acting and each not in self._replaced]

    def count_broken(self, source: Source, promises: Mapping[Inference, Sequence[tuple[int, int]]]) -> int:
        """For how many inferences that have not acted yet another row ran in the tick before than their prefix showed.

        Args:
            source: what `next` returned for that tick.
            promises: of each inference under way, the number of the chunk and the row that its prefix showed, for each
                tick from its request on; one that is not there showed nothing.
        """
        tick, ran = self.tick - 1, (self.requests - 1 - source.age, source.row)
        shown = [promises.get(each, ())[tick - each.tick :] for each in self.waited_for]
        return sum(bool(rows) and rows[0] != ran for rows in shown)

    @property
    def left(self) -> range:
        """Rows that a request of this tick finds left of the acting chunk; none if the robot is synchronous."""
        remaining = self.remaining if self.overlap else range(0)
        return range(remaining.start, max(remaining.start, min(remaining.stop, self._rows)))

    def prefix(self, delay: int) -> range:
        """Rows of the acting chunk that will run while an inference of `delay` ticks is under way.

        If another chunk arrives before, which takes several inferences in flight, they are replaced: see `foresee`.
        """
        return self.left[:delay]

    def foresee(self, count: int, expected: Mapping[Inference, Delay]) -> list[Source]:
        """What would run in the next ticks, if no request were made and the chunks in flight came as expected.

        Args:
            count: ticks.
            expected: what each inference in flight is expected to take; one that is overdue comes in the next tick.

        Returns:
            Sources as the next request counts them (age 1 is the chunk of the last one), up to the first tick that has
            no row.
        """
        ahead, sources = self.copy(), list[Source]()
        while len(sources) < count:
            source = ahead.next() if ahead.overlap and not ahead.next_is_free else UNDERRUN
            if source is UNDERRUN:
                break
            sources.append(Source(source.age + 1, source.row))
            ahead.arrive_as(expected)
        return sources

    def copy(self) -> TickClock:
        """A clock that stands as this one does, and goes on by itself."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.in_flight = list(self.in_flight)
        return twin

    @property
    def phase(self) -> tuple[object, ...]:
        """How it stands, counted from here: clocks with the same settings and the same phase go on alike."""
        acting = None if self._acting is None else self._count_back(self._acting)
        in_flight = [(*self._count_back(each), each in self._replaced) for each in self.in_flight]
        since = self.tick - self._start, self.tick - self._last_request
        return self.cold, self.requests == 0, self._period, acting, self._rows, *since, *in_flight

    def _count_back(self, inference: Inference) -> tuple[int, int]:
        return self.requests - inference.number, self.tick - inference.tick

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
            self.drop_acting()
        inference = Inference(self._episode, self.requests, tick)
        self.requests += 1
        self._last_request = tick
        self._period = self.request_period
        self.in_flight.append(inference)
        return inference

    def arrive(
        self,
        inference: Inference,
        tick: int,
        rows: int | None = None,
        finished: bool = True,
    ) -> bool:
        """Learn that a chunk, or some of its rows, may act from `tick` on; its delay is `tick - inference.tick`.

        Of chunks that come in the same tick, tell of the oldest first: the others are not `overtaken` then.

        Args:
            inference: what `request` returned.
            tick: the present one.
            rows: how many of its first rows are there by now, no fewer than before; None: all.
            finished: whether no more rows will come.

        Returns:
            Whether it acts; if not, a newer one does (its rows count as discarded), none of its rows is there in time,
            or a reset has made it void.

        Raises:
            ArgumentError: `tick` is not the present one, the chunk has arrived before, or `rows` is not from 0 to H.
        """
        if inference.episode != self._episode:
            return False
        self._expect_now(tick)
        if inference not in self.in_flight:
            raise ArgumentError(f"{inference} is not in flight: call arrive once, with what request returned.")
        horizon = self.prediction_horizon
        there = horizon if rows is None else whole_number("rows", rows, at_least=0, at_most=horizon)
        finished = finished or there == horizon
        if finished:
            self.in_flight.remove(inference)
        if inference == self._acting:
            self._rows = max(self._rows, there)
            return True
        if self._acts(inference, there):
            self._replace_acting(inference, there)
            return True
        if finished:
            self._drop(inference)
        return False

    def choose_horizon(self, execution_horizon: int) -> None:
        """Take the execution horizon that an agent chose with the chunk that arrives: it holds until the next one."""
        self._period = execution_horizon

    def arrive_as(self, delays: Mapping[Inference, Delay]) -> None:
        """Let every inference in flight come as far as it has by the present tick, if it takes `delays`.

        Of those that come in the same tick the oldest comes first.
        """
        for inference in list(self.in_flight):
            delay, age = delays[inference], self.tick - inference.tick
            if isinstance(delay, int):
                if age >= delay:
                    self.arrive(inference, self.tick)
            elif rows := bisect_right(delay, age):
                self.arrive(inference, self.tick, rows, finished=rows == len(delay))

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
        if self._acting is not None and (rows := self.remaining):
            if rows.start < self._rows:
                source = Source(self.requests - 1 - self._acting.number, rows.start)
                self.staleness = self.tick - self._acting.tick
            else:
                self.discarded += 1
        self.underruns += source is UNDERRUN
        self.tick += 1
        return source

    def drop_acting(self) -> None:
        """Throw away what is left of the acting chunk, as a synchronous robot does with its next request."""
        self.discarded += len(self.remaining)
        if self._acting is not None and self._acting in self.in_flight:
            self._replaced |= {self._acting}
        self._acting = None

    def _acts(self, inference: Inference, rows: int) -> bool:
        """Whether a chunk of which so many rows are there acts from now on in place of the acting one."""
        if self._acting is not None and self._acting.number > inference.number:
            return False
        return rows == self.prediction_horizon or rows > (self.tick - inference.tick if self.overlap else 0)

    def _replace_acting(self, inference: Inference, rows: int) -> None:
        self.drop_acting()
        self._acting, self._rows = inference, rows
        self._start = inference.tick if self.overlap else self.tick
        self.discarded += self.prediction_horizon - len(self.remaining)
        self.cold = False

    def _drop(self, inference: Inference) -> None:
        """Throw away a chunk that has come and does not act."""
        if inference in self._replaced:
            self._replaced -= {inference}
            return  # what was left of it is counted
        self.discarded += self.prediction_horizon
        self.overtaken += self._acting is not None and self._acting.number > inference.number

    @property
    def remaining(self) -> range:
        """Rows of the acting chunk that no tick has run or passed over."""
        if self._acting is None:
            return range(0)
        return range(min(self.tick - self._start, self.prediction_horizon), self.prediction_horizon)

    def _expect_now(self, tick: int) -> None:
        if tick != self.tick:
            raise ArgumentError(f"tick={tick} is not the present tick: give {self.tick}, and call next for every tick.")
