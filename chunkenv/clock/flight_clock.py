"""The clock of a simulation with several inferences in flight, or with chunks whose rows come one by one."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from chunkenv.clock.cycle import Source, Steady
from chunkenv.clock.settings import Horizon
from chunkenv.clock.tick_clock import Delay, Inference, TickClock, first_usable


class Count(NamedTuple):
    """What some ticks came to, counted since the request.

    Attributes:
        underruns: ticks with no row.
        discarded: rows thrown away.
        overtaken: chunks that came after a newer one and never acted.
        in_flight: inferences under way when the ticks are over.
        broken_prefix: rows that the prefix of an inference showed and that did not run, though its chunk did not act
            yet. A tick counts once for every inference that it was shown to.
    """

    underruns: int
    discarded: int
    overtaken: int
    in_flight: int
    broken_prefix: int


class Flight(NamedTuple):
    """What is known of an inference: its delay, what was expected of it, and what was to run meanwhile.

    `promise` is what the prefix showed for the ticks from the request on: the number of a chunk, and its row.
    """

    delay: Delay
    expected: Delay
    promise: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What runs from one request to the next, tick by tick; what `Cycle` is for one inference at a time.

    Attributes:
        delay: ticks until the chunk may first act.
        unused: rows of this chunk that a synchronous robot throws away at the next request.
        counts: what the ticks came to, after 0, 1, ... of them.
        execution_horizon: what the agent chose; None: the clock's.
        flight: this request's inference.
        after: the clock when all ticks are over, and what is known of its inferences: not to be changed.
    """

    delay: int
    unused: int
    counts: tuple[Count, ...]
    execution_horizon: int | None
    flight: Flight
    _sources: tuple[Source, ...]
    _staleness: tuple[int, ...]
    after: tuple[TickClock, dict[Inference, Flight]] = field(compare=False, repr=False)

    def delays_of_rows(self, prediction_horizon: int) -> list[int]:
        """Ticks until each row is there; -1 for one that never comes."""
        if isinstance(self.flight.delay, int):
            return [self.flight.delay] * prediction_horizon
        return [*self.flight.delay, *[-1] * (prediction_horizon - len(self.flight.delay))]

    @property
    def ticks(self) -> int:
        """Ticks until the next request, if the episode goes on."""
        return len(self._sources)

    @property
    def underruns(self) -> int:
        """Ticks with no row."""
        return self.counts[-1].underruns

    def sources(self, played: int | None = None) -> list[Source]:
        """The source of each of the first `played` ticks (all, if None)."""
        return list(self._sources[:played])

    def staleness(self, played: int | None = None) -> list[int]:
        """Age in ticks, per tick, of the observation behind the executed action; -1 for an underrun."""
        return list(self._staleness[:played])

    def underruns_within(self, played: int) -> int:
        """How many of the first `played` ticks had no row."""
        return self.counts[played].underruns

    def discarded(self, played: int, ended: bool) -> int:
        """Rows thrown away in the first `played` ticks; what is left when an episode ends is dropped, not discarded."""
        return self.counts[played].discarded + (0 if ended else self.unused)

    def arrived_by(self, played: int) -> bool:
        """Whether this request's chunk may act after `played` ticks."""
        return played >= self.delay


class FlightClock:
    """The clock of one environment from request to request, with several inferences in flight or rows that stream.

    It drives a `TickClock` with delays that are known beforehand. With one inference in flight, and chunks whose rows
    come together, it gives what `ChunkClock` gives, more slowly.

    Args:
        prediction_horizon: this and the others: as `TickClock` has them.

    Attributes:
        ticks: the `TickClock`.
        flights: what is known of each inference under way.

    Raises:
        ArgumentError: as `TickClock`.

    >>> clock = FlightClock(8, 2, max_in_flight=2)
    >>> [clock.advance(clock.cycle(delay=4)) for _ in range(3)]
    [[], [], [4]]
    >>> clock.tick, [source.row for source in clock.cycle(delay=4).sources()]
    (6, [4, 5])
    """

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
        self.ticks = TickClock(
            prediction_horizon, execution_horizon, overlap, cold_start, typical_delay, max_in_flight, request_period
        )
        self.flights: dict[Inference, Flight] = {}

    def reset(self) -> None:
        """Start an episode: nothing of the last one survives."""
        self.ticks.reset()
        self.flights = {}

    @property
    def max_in_flight(self) -> int:
        """Inferences under way at a time, k."""
        return self.ticks.max_in_flight

    @property
    def prediction_horizon(self) -> int:
        """Rows in a chunk, H."""
        return self.ticks.prediction_horizon

    @property
    def execution_horizon(self) -> int:
        """Ticks between two requests, s."""
        return self.ticks.execution_horizon

    @property
    def horizons(self) -> tuple[int, int] | None:
        """The execution horizons that the agent chooses from, or None."""
        return self.ticks.horizons

    @property
    def overlap(self) -> bool:
        """Whether the robot goes on with the previous chunk during inference."""
        return self.ticks.overlap

    @property
    def tick(self) -> int:
        """Control steps since the reset."""
        return self.ticks.tick

    @property
    def next_is_free(self) -> bool:
        """Whether the chunk of the next request is there at once, whatever an inference takes."""
        return self.ticks.next_is_free

    @property
    def phase(self) -> tuple[object, ...]:
        """How it stands: clocks with the same settings and the same phase go on alike. Its tick is no part of it."""
        clock, flights = self.ticks, list[object]()
        for each in clock.in_flight:
            flight = self.flights[each]
            promise = [(clock.requests - number, row) for number, row in flight.promise[clock.tick - each.tick :]]
            flights.append((flight.delay, flight.expected, *promise))
        return clock.phase, *flights

    def copy(self) -> FlightClock:
        """A clock that stands as this one does, and goes on by itself."""
        twin = copy.copy(self)
        twin.ticks, twin.flights = self.ticks.copy(), dict(self.flights)
        return twin

    @property
    def pending(self) -> list[Source]:
        """Each chunk in flight, newest first: its age in requests, as the next one counts, and in ticks as its row."""
        clock = self.ticks
        return [Source(clock.requests - each.number, clock.tick - each.tick) for each in reversed(clock.in_flight)]

    def foresee(self, count: int) -> list[Source]:
        """What would run in the next ticks without another request, up to the first without a row.

        The chunks in flight come as expected; ages are as the next request counts them.
        """
        return self.ticks.foresee(count, {each: self.flights[each].expected for each in self.ticks.in_flight})

    def prefix(self, delay: int) -> list[Source]:
        """What will run while an inference of `delay` ticks is under way, if the chunks in flight come as expected."""
        return self.foresee(delay)

    def cycle(self, delay: Delay, execution_horizon: int | None = None, expected: int | None = None) -> Schedule:
        """What the request of this tick plays.

        Args:
            delay: what its inference takes (0 on a free cold start).
            execution_horizon: ticks until the next request, if the agent chose them.
            expected: what the request expects the inference to take; None: what it takes.
        """
        real = 0 if self.next_is_free else delay
        guess = real if expected is None or self.next_is_free else expected
        promise = [(self.ticks.requests - age, row) for age, row in self.foresee(first_usable(guess))]
        flight = Flight(real, guess, tuple(promise))
        run = _Run(self.ticks.copy(), dict(self.flights), flight, execution_horizon)
        run.play(None)
        clock = run.clock
        return Schedule(
            delay=first_usable(real, clock.overlap),
            unused=0 if clock.overlap else len(clock.remaining),
            counts=tuple(run.counts),
            execution_horizon=execution_horizon,
            flight=flight,
            _sources=tuple(run.sources),
            _staleness=tuple(run.staleness),
            after=(clock, run.flights),
        )

    def advance(self, schedule: Schedule, played: int | None = None) -> list[int]:
        """Go on by `played` ticks of `schedule` (all, if None).

        Args:
            schedule: what this clock has planned where it stands, or the clock that it is a copy of.
            played: in ticks.

        Returns:
            The delays of the inferences that have finished on the way, in the order of their requests; that of a free
            first chunk is none.
        """
        free = self.ticks.requests if self.next_is_free else None
        if played is None or played == schedule.ticks:
            self.ticks, self.flights = schedule.after[0].copy(), schedule.after[1]
        else:
            _Run(self.ticks, self.flights, schedule.flight, schedule.execution_horizon).play(played)
        under_way = set(self.ticks.in_flight)
        if self.max_in_flight == 1:  # as `ChunkClock` has it: what a decision's inference takes is known with its end
            under_way.clear()
        finished = [each for each in self.flights if each not in under_way and each.number != free]
        met = [first_usable(self.flights[each].delay, self.overlap) for each in finished]
        if not self.ticks.overlap:
            self.ticks.drop_acting()
        # An episode that is cut short asks once more, for the value of its last observation: a slot is free for that.
        self.ticks.in_flight = self.ticks.in_flight[::-1][: self.ticks.max_in_flight - 1][::-1]
        self.flights = {each: self.flights[each] for each in self.ticks.in_flight}
        return met

    def steady(self, delay: Delay) -> Steady:
        """What decisions come to, after a while, if each inference takes `delay`.

        >>> FlightClock(8, 3, max_in_flight=2).steady(6)
        Steady(decisions=2, ticks=6, underruns=2)
        """
        twin, decisions = self.copy(), self.ticks.max_in_flight
        twin.reset()
        while twin.tick < 2 * (first_usable(delay) + self.ticks.prediction_horizon):
            twin.advance(twin.cycle(delay))
        cycles: list[Schedule] = []
        for _ in range(decisions):
            cycles.append(twin.cycle(delay))
            twin.advance(cycles[-1])
        return Steady(decisions, sum(cycle.ticks for cycle in cycles), sum(cycle.underruns for cycle in cycles))


class _Run:
    """A clock on its way from one request to the next; `flights` becomes known to it and is changed."""

    def __init__(
        self, clock: TickClock, flights: dict[Inference, Flight], flight: Flight, execution_horizon: int | None
    ) -> None:
        self.clock, self.flights = clock, flights
        self._before = clock.underruns, clock.discarded, clock.overtaken
        inference = clock.request(clock.tick)
        if execution_horizon is not None:
            clock.choose_horizon(execution_horizon)
        flights[inference] = flight
        self._delays = {each: flights[each].delay for each in clock.in_flight}
        self._promises = {each: flights[each].promise for each in clock.in_flight}
        self._broken = 0
        self.sources: list[Source] = []
        self.staleness: list[int] = []
        self.counts: list[Count] = []

    def play(self, ticks: int | None) -> None:
        """Play so many ticks, or up to the next request."""
        self._arrive()
        while len(self.sources) < ticks if ticks is not None else not self.sources or not self.clock.is_due:
            source = self.clock.next()
            self._broken += self.clock.count_broken(source, self._promises)
            self.sources.append(source)
            self.staleness.append(self.clock.staleness)
            self._arrive()

    def _arrive(self) -> None:
        clock = self.clock
        clock.arrive_as(self._delays)
        underruns, discarded, overtaken = self._before
        self.counts.append(
            Count(
                underruns=clock.underruns - underruns,
                discarded=clock.discarded - discarded,
                overtaken=clock.overtaken - overtaken,
                in_flight=len(clock.in_flight),
                broken_prefix=self._broken,
            )
        )
