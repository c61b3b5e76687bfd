"""Timelines of clocks: their arguments, and the worked tables of several inferences in flight."""

import pytest

from chunkenv.errors import ArgumentError
from chunkenv.timeline import plan_timeline

TABLE = {
    # H, s, d, k: ticks of the requests, rows that act in the steady state.
    (8, 4, 2, 1): ([0, 4, 8], "4 5 2 3"),
    (8, 4, 2, 2): ([0, 4, 8], "4 5 2 3"),
    (8, 2, 4, 1): ([0, 2, 6, 10], "4 5 6 7"),
    (8, 2, 4, 2): ([0, 2, 4, 6], "4 5"),
    (8, 2, 6, 3): ([0, 2, 4, 6], "6 7"),
    (8, 3, 6, 2): ([0, 3, 6], "6 7 -"),
}


@pytest.mark.parametrize(("setting", "expected"), TABLE.items(), ids=map(str, TABLE))
def test_several_in_flight(setting, expected):
    horizon, executed, delay, in_flight = setting
    requests, steady = expected
    timeline = plan_timeline(horizon, executed, delay, 60, max_in_flight=in_flight)
    assert [inference.request for inference in timeline.inferences][: len(requests)] == requests
    period = steady.split()
    start = timeline.inferences[9].request
    shown = ["-" if row < 0 else str(row) for _, row in timeline.acted[start : start + len(period)]]
    assert shown == period


def test_delays_are_taken_in_turn():
    timeline = plan_timeline(8, 4, [0, 1, 3], 20)
    assert [inference.delays[0] for inference in timeline.inferences] == [0, 1, 3, 0, 1]


def test_the_last_cycle_is_cut():
    assert plan_timeline(8, 4, 2, 7).ticks == 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((8, 4, [], 9), r"delay=\[\] is empty; give a number of ticks, or at least one\."),
        ((8, 4, -1, 9), r"delay=-1 is too small"),
        ((8, 4, "2", 9), r"delay='2' is not a whole number"),
        ((8, 4, [[0, 1.5]], 9), r"a row's delay=1.5 is not a whole number"),
        ((8, 4, [[]], 9), r"delay=\[\[\]\] has an inference without rows; give the delay of one row at least\."),
        ((8, 4, [[0, 2, 1]], 9), r"delays=\(0, 2, 1\) are not the ticks until each row is there"),
        ((8, 9, 2, 9), r"execution_horizon=9 is more than prediction_horizon=8"),
        ((8, 4, 2, 0), r"ticks=0 is too small"),
    ],
)
def test_arguments_that_make_no_timeline(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        plan_timeline(*arguments)
