"""Clocks with one rule broken: the checks against the definition must catch every one of them."""

from itertools import product

import pytest
from hypothesis import Phase, given, settings

from chunkenv.clock import TickClock, tick_clock
from tests.clock.checks import check_flight, check_loop
from tests.clock.playing import Case, Loop
from tests.clock.shared import cases

ACTS, DROP, FORESEE, REPLACE = TickClock._acts, TickClock._drop, TickClock.foresee, TickClock._replace_acting


def overtaken_chunk_acts(clock, inference, rows):
    return rows == clock.prediction_horizon or rows > clock.tick - inference.tick


def older_chunk_takes_over_again(clock, inference, rows):
    return inference in clock._replaced or ACTS(clock, inference, rows)


def missing_row_is_taken(clock, inference, rows):
    REPLACE(clock, inference, rows)
    clock._rows = clock.prediction_horizon


def late_rows_are_not_discarded(clock, inference, rows):
    REPLACE(clock, inference, rows)
    clock.discarded -= clock.prediction_horizon - len(clock.remaining)


def replaced_rows_are_discarded_twice(clock, inference):
    clock._replaced -= {inference}
    DROP(clock, inference)


def overtaken_is_not_counted(clock, inference):
    before = clock.overtaken
    DROP(clock, inference)
    clock.overtaken = before


def chunks_in_flight_are_not_foreseen(clock, count, expected):
    alone = clock.copy()
    alone.in_flight = []
    return FORESEE(alone, count, expected)


BOTH, FLIGHT, LOOP = (check_flight, check_loop), (check_flight,), (check_loop,)
MUTANTS = {
    "greedy requests": ("is_due", property(lambda clock: len(clock.in_flight) < clock.max_in_flight), BOTH),
    "busy until the first row": ("is_due", property(lambda clock: is_due_by(clock, clock.waited_for)), BOTH),
    "an overtaken chunk acts": ("_acts", overtaken_chunk_acts, BOTH),
    "an older chunk takes over again": ("_acts", older_chunk_takes_over_again, BOTH),
    "a missing row is taken": ("_replace_acting", missing_row_is_taken, BOTH),
    "late rows are not discarded": ("_replace_acting", late_rows_are_not_discarded, BOTH),
    "rows are discarded twice": ("_drop", replaced_rows_are_discarded_twice, BOTH),
    "overtaken is not counted": ("_drop", overtaken_is_not_counted, BOTH),
    "missing rows are left": ("left", property(lambda clock: clock.remaining), LOOP),
    "chunks in flight are not foreseen": ("foresee", chunks_in_flight_are_not_foreseen, FLIGHT),
    "a chunk that acts breaks its own prefix": ("waited_for", property(lambda clock: list(clock.in_flight)), FLIGHT),
}


def is_due_by(clock, waiting):
    """The rule, with another list of inferences under way."""
    late = not clock.requests or clock.tick - clock._last_request >= clock.request_period
    return len(waiting) < clock.max_in_flight and late


def play(check):
    """Check a thousand cases, the same ones every time; raise at the first that fails."""

    @settings(max_examples=1000, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(cases())
    def checked(case):
        check(case)

    checked()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_caught(name, monkeypatch):
    attribute, broken, checks = MUTANTS[name]
    monkeypatch.setattr(TickClock, attribute, broken)
    for check in checks:
        with pytest.raises(AssertionError):
            play(check)


def test_requests_that_are_not_spread_are_caught(monkeypatch):
    monkeypatch.setattr(tick_clock, "period_between_requests", lambda horizon, most, delay, period: horizon)
    for check in BOTH:
        with pytest.raises(AssertionError):
            play(check)


class PrefixBeforeArrivals(Loop):
    """A loop that looks at what is left before the chunks of this tick have come."""

    def before_the_row(self):
        self.prefix()
        early = self.record.prefixes.pop()
        self.arrivals()
        if self.clock.is_due:
            self.record.prefixes.append(early)
            self.request()


def test_a_prefix_before_arrivals_is_caught():
    with pytest.raises(AssertionError):
        play(lambda case: check_loop(case, PrefixBeforeArrivals))


def small_cases():
    """H <= 4, all s, delays 0 to H + 1 of four inferences, both cold starts; those with overlap."""
    for rows in range(1, 5):
        for horizon, cold_start in product(range(1, rows + 1), ("free", "charged")):
            for delays in product(range(rows + 2), repeat=4):
                yield Case(rows, horizon, list(delays), cold_start=cold_start)


def four_prefixes(case, kind):
    """What four inferences are told that they have time for, and what is under way then."""
    loop = kind(case)
    while len(loop.record.requests) < 4:
        loop.before_the_row()
        loop.clock.next()
    told = zip(loop.record.prefixes, loop.record.requests, case.delays, strict=True)
    return [prefix[: 0 if case.free and not tick else delay] for prefix, tick, delay in told]


@pytest.mark.slow
def test_how_many_small_cases_a_prefix_before_arrivals_breaks():
    """Of 30,608; the half without overlap has no prefix to break."""
    small = list(small_cases())
    assert 2 * len(small) == 30_608
    assert sum(four_prefixes(each, Loop) != four_prefixes(each, PrefixBeforeArrivals) for each in small) == 5_324
