"""What must hold in every episode with overlap: each function compares a record with the definition."""

from tests.clock import definition as the
from tests.clock.playing import Loop, fly


def same_line(case, record, chunks, runs):
    """Row i of a chunk runs in the tick (request + i) or never; requests, rows and ages are those of the definition."""
    assert record.requests == [each.request for each in chunks]
    assert record.line == runs
    assert record.staleness == [-1 if place is None else place[1] for place in runs]
    for tick, place in enumerate(record.line):
        assert place is None or record.requests[place[0]] + place[1] == tick


def never_back(case, record, chunks, runs):
    """Sources never go back to an older chunk."""
    numbers = [place[0] for place in record.line if place is not None]
    assert numbers == sorted(numbers)


def spacing(case, record, chunks, runs):
    """At most k in flight; requests at least s and at least p apart."""
    assert max(account.in_flight for account in record.accounts) <= case.most
    gaps = [after - before for before, after in zip(record.requests, record.requests[1:], strict=False)]
    assert min(gaps, default=case.waits) >= case.waits >= case.horizon


def accounts(case, record, chunks, runs):
    """Underruns, discarded, overtaken and in flight, whenever the episode ends."""
    for account in record.accounts:
        known, tick = chunks[: account.requests], account.tick
        assert account.underruns == runs[:tick].count(None)
        assert account.discarded == the.discarded(known, runs, tick)
        assert account.overtaken == the.overtaken(known, tick)
        assert account.in_flight == sum(each.finished > tick for each in known)


def conserved(case, record, chunks, runs):
    """Executed, discarded, left and under way come to H rows a chunk."""
    executed = sum(place is not None for place in record.line)
    waiting = sum(the.settled(chunks, number) > case.ticks for number in range(len(chunks)))
    of_all = executed + record.accounts[-1].discarded + record.remaining + waiting * case.rows
    assert of_all == len(chunks) * case.rows


def promises(case, record, chunks, runs):
    """The prefix is what runs if all comes as expected; what was promised and did not run is counted."""
    for number, now in enumerate([*record.requests, case.ticks]):
        known = chunks[:number]
        waiting = [each for each in range(number) if known[each].finished > now]
        if number == len(chunks):  # one request more, when the episode has ended: a slot is free for it
            waiting = waiting[::-1][: case.most - 1][::-1]
        expected = [case.expects(known, each) if each in waiting else None for each in range(number)]
        assert record.prefixes[number] == the.foreseen(known, expected, now, case.rows)
        assert record.pending[number] == [(number - each, now - known[each].request) for each in reversed(waiting)]
    for number, promise in enumerate(record.promises):
        assert promise == record.prefixes[number][: the.first_usable(case.expects(chunks, number))]
    for account in record.accounts:
        known = account.requests
        assert account.broken == the.broken(chunks[:known], record.promises[:known], runs, account.tick)
    if case.most == 1 or (case.is_constant and case.expected is None):
        assert record.accounts[-1].broken == 0


def known_delays(case, record, chunks, runs):
    """After each decision the delays of what has finished in it; with one inference at a time always its own."""
    known = []
    for now, met in zip([*record.requests[1:], case.ticks], record.met, strict=True):
        finished = [each for each in chunks if each.request < now and (each.finished <= now or case.most == 1)]
        new = [each for each in finished if each not in known]
        known += new
        assert met == [the.first_usable(each.delays) for each in new if not (case.free and each.request == 0)]


def left(case, record, chunks, runs):
    """A tick-wise clock knows what is left of the acting chunk."""
    for number, now in enumerate(record.requests):
        known = chunks[:number]
        nothing_comes = the.foreseen(known, [None] * number, now, case.rows)
        assert record.prefixes[number] == nothing_comes


OF_EVERY_CLOCK = same_line, never_back, spacing, accounts, conserved


def check(case, record, *also):
    """Compare a record with the definition in all that holds for every clock, and in `also`."""
    chunks = case.chunks()
    runs = the.line(chunks, case.ticks)
    for one in (*OF_EVERY_CLOCK, *also):
        one(case, record, chunks, runs)


def check_flight(case):
    """A `FlightClock` plays the case as it is defined."""
    check(case, fly(case), promises, known_delays)


def check_loop(case, loop=Loop):
    """A loop around a `TickClock` plays the case as it is defined."""
    check(case, loop(case).run(), left)
