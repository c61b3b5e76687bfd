"""What acts in a tick, by definition: from the ticks of requests and of rows alone. Nothing of the package is used."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, takewhile


@dataclass(frozen=True)
class Chunk:
    """An inference: the tick of its request, and the tick in which each of its rows is there."""

    request: int
    there: tuple[float, ...]
    rows: int

    @property
    def finished(self):
        return self.there[-1]

    @property
    def delays(self):
        return tuple(there - self.request for there in self.there)

    @cached_property
    def takes_over(self):
        """The first tick whose row is there; for a whole chunk that is too late, the tick in which it comes."""
        ticks = (self.request + row for row, there in enumerate(self.there) if there <= self.request + row)
        whole = self.finished if len(self.there) == self.rows else math.inf
        return next(ticks, whole)

    def has(self, tick):
        """Whether the row that is meant for `tick` is there by then."""
        row = tick - self.request
        return row < len(self.there) and self.there[row] <= tick


def chunk(request, delay, rows):
    """The inference of a request whose delay is a number, or one for each row that comes."""
    delays = (delay,) * rows if isinstance(delay, int) else delay
    return Chunk(request, tuple(request + each for each in delays), rows)


def requested(rows, period, most, delays, free, ticks):
    """The inferences that are requested in so many ticks, one at a time through `delays`, again and again."""
    chunks, waits = [], cycle(delays)
    for tick in range(ticks):
        waiting = sum(each.finished > tick for each in chunks)
        if waiting < most and (not chunks or tick - chunks[-1].request >= period):
            delay = next(waits)
            chunks.append(chunk(tick, 0 if free and not chunks else delay, rows))
    return chunks


def acting(chunks, tick):
    """The number of the chunk that acts: the newest that has taken over; None if there is none."""
    return max((number for number, each in enumerate(chunks) if each.takes_over <= tick), default=None)


def ran(chunks, tick):
    """The number of the chunk and the row that run in `tick`, or None."""
    number = acting(chunks, tick)
    return (number, tick - chunks[number].request) if number is not None and chunks[number].has(tick) else None


def line(chunks, ticks):
    """What runs in each of the first `ticks` ticks."""
    return [ran(chunks, tick) for tick in range(ticks)]


def takes_turn(chunks, number):
    """Whether a chunk ever acts: no newer one has taken over in an earlier tick than it."""
    own = chunks[number].takes_over
    return own < math.inf and all(each.takes_over >= own for each in chunks[number + 1 :])


def settled(chunks, number):
    """The tick from which a chunk's rows count: when it takes over, or has come in vain."""
    return min(chunks[number].takes_over if takes_turn(chunks, number) else math.inf, chunks[number].finished)


def overtaken(chunks, tick):
    """How many chunks have come by `tick` after a newer one, and never acted."""
    return sum(
        each.finished <= tick
        and not takes_turn(chunks, number)
        and any(newer.takes_over < each.finished for newer in chunks[number + 1 :])
        for number, each in enumerate(chunks)
    )


def discarded(chunks, runs, tick):
    """Rows thrown away before `tick`: of chunks that have acted or come, all that neither ran nor may still run.

    `runs` is what ran: `line(chunks, ticks)` of at least so many ticks.
    """
    executed = Counter(number for number, _ in filter(None, runs[:tick]))
    now, total = acting(chunks, tick), 0
    for number, each in enumerate(chunks):
        if settled(chunks, number) <= tick:
            remaining = max(each.rows - (tick - each.request), 0) if number == now else 0
            total += each.rows - executed[number] - remaining
    return total


def expected_at(chunks, expected, now):
    """`chunks` as a request at `now` may know them: what is not there yet comes as expected, at the earliest after now.

    Chunks of which nothing is expected (None) bring no more rows.
    """

    def foresee(each, delay):
        if each.finished <= now:
            return each
        known = [there for there in each.there if there <= now]
        guess = () if delay is None else chunk(each.request, delay, each.rows).there
        there = (*known, *(max(there, now + 1) for there in guess[len(known) :]))
        return replace(each, there=there or (math.inf,))

    return [foresee(each, delay) for each, delay in zip(chunks, expected, strict=True)]


def foreseen(chunks, expected, now, count):
    """Number and row of what would run from `now` on without a request, up to the first tick without a row."""
    known = expected_at(chunks, expected, now)
    return list(takewhile(bool, (ran(known, tick) for tick in range(now, now + count))))


def first_usable(delay):
    """Ticks after which a chunk may first act; if never in time, after which it has come."""
    if isinstance(delay, int):
        return delay
    return next((row for row, there in enumerate(delay) if there <= row), delay[-1])


def broken(chunks, promises, runs, tick):
    """How many rows before `tick` were promised to an inference under way that had not acted yet, and did not run."""
    return sum(
        runs[each.request + place] != promised
        for number, each in enumerate(chunks)
        for place, promised in enumerate(promises[number])
        if each.request + place < min(tick, settled(chunks, number))
    )
