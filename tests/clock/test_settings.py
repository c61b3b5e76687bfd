"""The arguments of the clocks: each mistake is one sentence."""

import math
import re

import numpy as np
import pytest

from chunkenv.clock import ChunkClock, FlightClock, TickClock
from chunkenv.errors import ArgumentError

OF_ALL = [
    (dict(prediction_horizon=0), "prediction_horizon=0 is too small"),
    (dict(prediction_horizon=-3), "prediction_horizon=-3 is too small"),
    (dict(prediction_horizon=2.5), "prediction_horizon=2.5 is not a whole number"),
    (dict(prediction_horizon="8"), "prediction_horizon='8' is not a whole number"),
    (dict(prediction_horizon=True), "prediction_horizon=True is not a whole number"),
    (dict(prediction_horizon=None), "prediction_horizon=None is not a whole number"),
    (dict(execution_horizon=9), "execution_horizon=9 is more than prediction_horizon=8"),
    (dict(execution_horizon=0), "execution_horizon=0 is too small"),
    (dict(execution_horizon=1.0), "execution_horizon=1.0 is not a whole number"),
    (dict(execution_horizon="12"), "execution_horizon='12' is not a whole number"),
    (dict(execution_horizon=()), "execution_horizon=() is no choice of horizons; give the least and the largest"),
    (dict(execution_horizon=(2,)), "execution_horizon=(2,) is no choice of horizons"),
    (dict(execution_horizon=[1, 2, 3]), "execution_horizon=[1, 2, 3] is no choice of horizons"),
    (dict(execution_horizon=(3, 2)), "execution_horizon=(3, 2) is no choice of horizons; give the least and the large"),
    (dict(execution_horizon=(0, 2)), "execution_horizon=0 is too small"),
    (dict(execution_horizon=(2, 9)), "execution_horizon=9 is more than prediction_horizon=8"),
    (dict(execution_horizon=(2, math.nan)), "execution_horizon=nan is not a whole number"),
    (dict(execution_horizon=((1, 2), 3)), "execution_horizon=(1, 2) is not a whole number"),
    (dict(cold_start="fre"), "did you mean 'free'"),
    (dict(cold_start=None), "cold_start=None is unknown"),
    (dict(overlap="yes"), "overlap='yes' is not True or False"),
    (dict(overlap=1), "overlap=1 is not True or False"),
    (dict(typical_delay=-1), "typical_delay=-1 is too small; give an int of at least 0"),
    (dict(typical_delay=2.5), "typical_delay=2.5 is not a whole number"),
    (dict(typical_delay=math.nan), "typical_delay=nan is not a whole number"),
    (dict(typical_delay="2"), "typical_delay='2' is not a whole number"),
]

OF_SEVERAL_IN_FLIGHT = [
    (dict(max_in_flight=0), "max_in_flight=0 is too small; give an int of at least 1"),
    (dict(max_in_flight=-1), "max_in_flight=-1 is too small"),
    (dict(max_in_flight=2.0), "max_in_flight=2.0 is not a whole number"),
    (dict(max_in_flight=True), "max_in_flight=True is not a whole number"),
    (dict(max_in_flight="2"), "max_in_flight='2' is not a whole number"),
    (dict(max_in_flight=None), "max_in_flight=None is not a whole number"),
    (dict(max_in_flight=2, overlap=False), "max_in_flight=2 needs overlap=True: a synchronous robot waits"),
    (
        dict(max_in_flight=2, execution_horizon=(2, 4)),
        "choose from execution_horizon=(2, 4): give one execution horizo",
    ),
    (dict(request_period=3), "request_period=3 needs several inferences in flight: with max_in_flight=1 the execution"),
    (dict(request_period=0), "request_period=0 is too small; give an int of at least 1"),
    (dict(max_in_flight=2, request_period=2.5), "request_period=2.5 is not a whole number"),
    (dict(max_in_flight=2, request_period=math.inf), "request_period=inf is not a whole number"),
    (dict(max_in_flight=2, request_period=False), "request_period=False is not a whole number"),
    (dict(max_in_flight=2, request_period="3"), "request_period='3' is not a whole number"),
    (
        dict(max_in_flight=2, request_period=2, execution_horizon=3),
        "request_period=2 is less than execution_horizon=3, the ticks between two requests; give 3 or more",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), OF_ALL)
@pytest.mark.parametrize("kind", [ChunkClock, TickClock, FlightClock])
def test_bad_arguments(kind, arguments, sentence):
    with pytest.raises(ArgumentError, match=re.escape(sentence)):
        kind(**{"prediction_horizon": 8, **arguments})


@pytest.mark.parametrize(("arguments", "sentence"), OF_SEVERAL_IN_FLIGHT)
@pytest.mark.parametrize("kind", [TickClock, FlightClock])
def test_bad_arguments_of_several_in_flight(kind, arguments, sentence):
    with pytest.raises(ArgumentError, match=re.escape(sentence)):
        kind(prediction_horizon=8, **arguments)


@pytest.mark.parametrize(
    ("settings", "horizon"),
    [
        (dict(), 8),
        (dict(typical_delay=3), 5),
        (dict(typical_delay=20), 1),
        (dict(typical_delay=3, overlap=False), 8),
        (dict(execution_horizon=np.int64(4)), 4),
        (dict(execution_horizon=[2, 6]), 6),
    ],
)
@pytest.mark.parametrize("kind", [ChunkClock, TickClock])
def test_execution_horizon(kind, settings, horizon):
    """None leaves rows for the inference; of several to choose from it is the longest."""
    clock = kind(8, **settings)
    assert clock.execution_horizon == horizon
    assert clock.horizons == ((2, 6) if isinstance(settings.get("execution_horizon"), list) else None)


@pytest.mark.parametrize(
    ("most", "typical", "given", "period"),
    [
        (1, 6, None, 2),
        (2, 6, None, 3),
        (2, 7, None, 4),
        (3, 6, None, 2),
        (4, 6, None, 2),
        (3, 20, None, 7),
        (2, 6, 2, 2),
        (2, 6, 5, 5),
    ],
)
def test_period_between_requests(most, typical, given, period):
    """s for one inference at a time; else s or a share of the delay, whichever is more; or as given."""
    clock = TickClock(8, 2, typical_delay=typical, max_in_flight=most, request_period=given)
    assert clock.request_period == period
