"""Good latency models pass their contract; for every check there are broken ones that fail it."""

import math
import random
import threading
from dataclasses import dataclass

import numpy as np
import pytest

from chunkenv.latency import Bursty, Constant, Gamma, LatencyModel, LogNormal, Measured, Streamed, Sum, Trace, Uniform
from chunkenv.testing import LatencyContract
from tests.testing.failing import cases, checks_of, expect_failure


@dataclass(frozen=True)
class Usual(LatencyModel):
    """A model as somebody else might write it: uniform around a base that moves, with everything one can know of it."""

    base: float = 0.05

    def begin(self, rng):
        return float(rng.random())

    def draw(self, rng, state):
        shift = 0.5 * state + 0.5 * float(rng.random())
        return self.base * (1.0 + shift), float(rng.random())

    def mean(self):
        return 1.5 * self.base


@dataclass(frozen=True)
class StopsEarly(LatencyModel):
    """Rows that stream, as somebody else might draw them: between one and four."""

    rows: int = 4

    def draw(self, rng, state):
        return 0.05 + np.sort(rng.random(int(rng.integers(1, 5)))), state


GOOD_MODELS = [
    Constant(0.0),
    Constant(0.05),
    Uniform(0.0, 0.2),
    LogNormal(0.08, 0.4),
    LogNormal(0.08, 0.0),
    Gamma(0.1, 0.5),
    Bursty(Constant(0.02), LogNormal(0.2, 0.3), enter=0.1, leave=0.3),
    Trace([0.02, 0.05, 0.02, 0.3]),
    Trace([0.02, 0.05, 0.02, 0.3], mode="resample"),
    Sum((Constant(0.01), Gamma(0.1, 0.5))),
    Uniform(0.0, 0.1) + Trace([0.02, 0.05]),
    Usual(),
    Streamed((0.02, 0.02, 0.05)),
    LogNormal(0.05, 0.3) + Streamed((0.0, 0.02)),
    Measured(scale=2.0),
    Measured() + Uniform(0.0, 0.1),
    StopsEarly(),
]


@pytest.mark.parametrize("model", GOOD_MODELS, ids=repr)
class TestGoodModels(LatencyContract):
    @pytest.fixture(autouse=True)
    def _choose(self, model):
        self.make_model = lambda: model


class SometimesNegative(Usual):
    def draw(self, rng, state):
        return float(rng.normal()), state


class SometimesInfinite(Usual):
    def draw(self, rng, state):
        return (math.inf if rng.random() < 0.01 else 0.1), state


class OfItsOwn(Usual):
    """Another stream than the one that it is handed."""

    def draw(self, rng, state):
        return float(np.random.default_rng().random()), state


class Remembers(LatencyModel):
    """An autoregressive model with its memory in the wrong place."""

    def __init__(self):
        self.last = 0.0

    def draw(self, rng, state):
        self.last = 0.9 * self.last + float(rng.random())
        return self.last, state


class Counts(Remembers):
    def draw(self, rng, state):
        self.last += 1
        return float(rng.random()), state


class WritesIntoItsState(Usual):
    def begin(self, rng):
        return [0.0]

    def draw(self, rng, state):
        state[0] = 0.9 * state[0] + float(rng.random())
        return state[0], state


class ReadsTheGlobalState(Usual):
    def draw(self, rng, state):
        return float(np.random.random()), state  # noqa: NPY002


class ReadsPythonsGlobalState(Usual):
    def draw(self, rng, state):
        return random.random(), state


class WithAnArray(Usual):
    def spec(self):
        return {"model": "usual", "base": np.array([0.05])}


class WithNumbersAsKeys(Usual):
    def spec(self):
        return {"model": "usual", 1: 0.05}


class ForgetsItsBase(Usual):
    def spec(self):
        return Usual(base=0.06).spec()


class SaysTheMedian(LogNormal):
    def mean(self):
        return self.median


class CountsFromTheTop(Uniform):
    def quantile(self, q):
        return super().quantile(1.0 - q)


class TooNarrow(LogNormal):
    def quantile(self, q):
        return LogNormal(self.median, 0.8 * self.sigma).quantile(q)


class DropsTheOther(Usual):
    def __add__(self, other):
        return self


class HoldsALock(Usual):
    def begin(self, rng):
        return threading.Lock()

    def draw(self, rng, state):
        return float(rng.random()), state


class FallsAtTimes(StopsEarly):
    def draw(self, rng, state):
        return rng.random(4), state


class WithAnotherRow(StopsEarly):
    def draw(self, rng, state):
        return [0.1] * 5, state


class SaysNoRows(Usual):
    def draw(self, rng, state):
        return (0.1, 0.2), state


class StartsAnewOutOfAPickle(Usual):
    def __reduce__(self):
        return Usual, (2 * self.base,)


BROKEN_MODELS = {
    "test_draws_are_finite_seconds_of_at_least_0": [
        ("was drawn; expected finite seconds", SometimesNegative),
        ("inf was drawn", SometimesInfinite),
    ],
    "test_rows_that_stream_never_fall": [
        ("expected the seconds of its rows never to fall", FallsAtTimes),
        ("[0.1, 0.1, 0.1, 0.1, 0.1] was drawn; with rows=4 of the model", WithAnotherRow),
        ("(0.1, 0.2) was drawn; with rows=None of the model", SaysNoRows),
    ],
    "test_the_same_stream_gives_the_same_draws": [("the same model and rng seed give other draws", OfItsOwn)],
    "test_two_streams_do_not_disturb_each_other": [("another stream disturbs this one: draw[1]", Remembers)],
    "test_the_model_is_not_changed_by_drawing": [
        ("drawing has changed the model: its attributes['last']", Remembers),
        ("drawing has changed the model: its attributes['last'] is 100", Counts),
    ],
    "test_the_state_is_not_changed_in_place": [("has changed the state", WritesIntoItsState)],
    "test_the_global_random_state_is_not_read": [
        ("the draws depend on the global", ReadsTheGlobalState),
        ("the draws depend on the global", ReadsPythonsGlobalState),
    ],
    "test_the_global_random_state_is_not_changed": [
        ("drawing has changed the global state", ReadsTheGlobalState),
        ("drawing has changed the global state", ReadsPythonsGlobalState),
    ],
    "test_its_spec_is_plain_data": [
        ("which is no JSON", WithAnArray),
        ("does not come out of JSON as it went in", WithNumbersAsKeys),
    ],
    "test_its_spec_draws_the_same": [("from_spec(spec()) gives other draws", ForgetsItsBase)],
    "test_the_mean_is_that_of_the_draws": [("mean() is 0.1; expected 0.13", lambda: SaysTheMedian(0.1, 0.8))],
    "test_quantiles_rise": [("expected them never to fall", lambda: CountsFromTheTop(0.0, 1.0))],
    "test_quantiles_are_those_of_the_draws": [
        ("quantile(0.01) is", lambda: TooNarrow(0.1, 0.5)),
        ("quantile(0.01) is", lambda: CountsFromTheTop(0.0, 1.0)),
    ],
    "test_a_sum_with_a_constant_adds_up": [("draw 0 of model + Constant(0.25) is", DropsTheOther)],
    "test_it_pickles": [
        ("cannot be pickled", HoldsALock),
        ("out of a pickle it gives other draws", StartsAnewOutOfAPickle),
    ],
}


@pytest.mark.parametrize(("check", "words", "make"), cases(BROKEN_MODELS))
def test_a_broken_model_fails(check, words, make):
    expect_failure(LatencyContract, check, words, make_model=make)


def test_every_check_has_something_that_fails_it():
    assert checks_of(LatencyContract) == set(BROKEN_MODELS)
