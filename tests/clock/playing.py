"""Episodes of the package's clocks, written down as the definition has them."""

from dataclasses import dataclass, field
from itertools import cycle
from typing import NamedTuple

from chunkenv.clock import UNDERRUN, FlightClock, TickClock
from tests.clock import definition


@dataclass(frozen=True)
class Case:
    """The settings of a clock with overlap, what its inferences take, and in how many ticks the episode ends."""

    rows: int
    horizon: int
    delays: list
    most: int = 1
    period: int | None = None
    typical: int = 0
    cold_start: str = "free"
    ticks: int = 40
    expected: int | None = None

    @property
    def free(self):
        return self.cold_start == "free"

    @property
    def waits(self):
        """Ticks between two requests: s; with several in flight s or a share of the usual delay; or as given."""
        share = -(-self.typical // self.most) if self.most > 1 else 0
        return max(self.horizon, share) if self.period is None else self.period

    @property
    def is_constant(self):
        return len(set(self.delays)) == 1

    def expects(self, chunks, number):
        """What inference `number` is expected to take: what it takes, if nothing else is said or it is free."""
        is_free = self.free and number == 0
        return chunks[number].delays if self.expected is None or is_free else self.expected

    def clock(self, kind):
        args = self.rows, self.horizon, True, self.cold_start, self.typical, self.most, self.period
        return kind(*args)

    def chunks(self):
        return definition.requested(self.rows, self.waits, self.most, self.delays, self.free, self.ticks)


@dataclass
class Record:
    """What an episode came to: per request, per tick, and accounts of all before a tick."""

    requests: list = field(default_factory=list)
    prefixes: list = field(default_factory=list)
    pending: list = field(default_factory=list)
    promises: list = field(default_factory=list)
    line: list = field(default_factory=list)
    staleness: list = field(default_factory=list)
    accounts: list = field(default_factory=list)
    met: list = field(default_factory=list)
    remaining: int = 0

    def foreseen(self, clock, ticks):
        """Write down what the next request would be told."""
        self.pending.append([tuple(each) for each in clock.pending])
        self.prefixes.append([(len(self.requests) - each.age, each.row) for each in clock.foresee(ticks)])

    def ran(self, sources, staleness):
        """Write down what ran in some ticks."""
        newest = len(self.requests) - 1
        self.line += [None if each is UNDERRUN else (newest - each.age, each.row) for each in sources]
        self.staleness += staleness


class Account(NamedTuple):
    """What all ticks before `tick` came to, with so many requests."""

    requests: int
    tick: int
    underruns: int
    discarded: int
    overtaken: int
    in_flight: int
    broken: int = 0


def fly(case):
    """Play a case from request to request, the last one cut: the record, with what one request more would be told."""
    clock, record, delays = case.clock(FlightClock), Record(), cycle(case.delays)
    before = Account(0, 0, 0, 0, 0, 0)
    while clock.tick < case.ticks:
        delay = next(delays)
        record.foreseen(clock, case.rows)
        record.requests.append(clock.tick)
        schedule = clock.cycle(delay, expected=case.expected)
        played = min(schedule.ticks, case.ticks - clock.tick)
        record.promises.append(list(schedule.flight.promise))
        record.ran(schedule.sources(played), schedule.staleness(played))
        for ticks, count in enumerate(schedule.counts[: played + 1]):
            account = Account(
                len(record.requests),
                clock.tick + ticks,
                before.underruns + schedule.underruns_within(ticks),
                before.discarded + schedule.discarded(ticks, ended=True),
                before.overtaken + count.overtaken,
                count.in_flight,
                before.broken + count.broken_prefix,
            )
            record.accounts.append(account)
        before = record.accounts[-1]
        record.met.append(clock.advance(schedule, played))
    record.foreseen(clock, case.rows)
    record.remaining = len(clock.ticks.remaining)
    return record


class Loop:
    """A robot's loop around a `TickClock`, which is told of rows as they come."""

    def __init__(self, case):
        self.case, self.clock, self.record = case, case.clock(TickClock), Record()
        self.delays, self.taken = cycle(case.delays), {}

    def run(self):
        while self.clock.tick < self.case.ticks:
            self.before_the_row()
            self.account()
            self.record.ran([self.clock.next()], [])
            self.record.staleness.append(self.clock.staleness)
        self.arrivals()
        self.account()
        self.record.remaining = len(self.clock.remaining)
        return self.record

    def before_the_row(self):
        self.arrivals()
        if self.clock.is_due:
            self.prefix()
            self.request()

    def prefix(self):
        """What is left of the acting chunk: the prefix, if no other chunk is in flight."""
        acting = [(self.acting, row) for row in self.clock.left]
        self.record.prefixes.append(acting)

    def request(self):
        delay = next(self.delays)
        free, inference = self.clock.next_is_free, self.clock.request(self.clock.tick)
        self.taken[inference] = (0 if free else delay), 0
        self.record.requests.append(self.clock.tick)
        self.arrivals()

    def arrivals(self):
        for inference in list(self.clock.in_flight):
            delay, known = self.taken[inference]
            delays = (delay,) * self.case.rows if isinstance(delay, int) else delay
            rows = sum(each <= self.clock.tick - inference.tick for each in delays)
            if rows > known:
                self.taken[inference] = delay, rows
                if self.clock.arrive(inference, self.clock.tick, rows, finished=rows == len(delays)):
                    self.acting = inference.number

    def account(self):
        clock = self.clock
        counts = clock.underruns, clock.discarded, clock.overtaken, len(clock.in_flight)
        self.record.accounts.append(Account(len(self.record.requests), clock.tick, *counts))
