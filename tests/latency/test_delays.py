import copy
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, ResetNeededError
from chunkenv.latency import (
    Bursty,
    Constant,
    Delays,
    Gamma,
    LatencyModel,
    LogNormal,
    Measured,
    Streamed,
    Trace,
    Uniform,
)
from tests.latency.shared import BUSY, INF, NAN, Doubled, Drawn, Undescribed, draws


def delays_of(latency_, control_dt, count, seed=0):
    delays = Delays(latency_, control_dt)
    delays.reset(np.random.default_rng(seed))
    return [delays.next() for _ in range(count)]


def test_delays_in_ticks():
    assert delays_of(3, None, 4) == [3] * 4
    assert delays_of(np.int64(3), None, 1) == [3]
    assert delays_of(Constant(0.1), 0.05, 4) == [2] * 4
    assert delays_of(Constant(0.3), 0.1, 1) == [3]
    assert delays_of(Constant(0.101), 0.05, 1) == [3]
    assert delays_of({"model": "constant", "seconds": 0.0}, 0.05, 1) == [0]
    assert delays_of(Uniform(0.0, 0.2), 0.05, 50) == [ticks(s, 0.05) for s in draws(Uniform(0.0, 0.2), 50)]


@pytest.mark.parametrize(
    ("given_latency", "plain", "constant", "typical"),
    [
        (0, 0, 0, 0),
        (7, 7, 7, 7),
        (Constant(0.1), {"model": "constant", "seconds": 0.1}, 2, 2),
        (Constant(0.1) + Constant(0.01), None, 3, 3),
        (Uniform(0.0, 0.22), {"model": "uniform", "low": 0.0, "high": 0.22}, None, 3),
        ({"model": "uniform", "low": 0, "high": 0.2}, {"model": "uniform", "low": 0.0, "high": 0.2}, None, 2),
        (Streamed((0.1, 0.2)), {"model": "streamed", "seconds": [0.1, 0.2]}, None, 2),
        (Undescribed(), None, None, None),
        (Measured(), {"model": "measured", "scale": 1.0}, None, None),
        (Constant(0.1) + Undescribed(), None, None, None),
    ],
)
def test_what_delays_know(given_latency, plain, constant, typical):
    delays = Delays(given_latency, 0.05)
    assert (delays.constant, delays.typical, delays.knows_typical) == (constant, typical or 0, typical is not None)
    if plain is not None:
        assert delays.plain == plain
        json.dumps(delays.plain)


@pytest.mark.parametrize(
    ("given_latency", "least"),
    [
        (7, 7),
        (Constant(0.1), 2),
        (Trace([0.3, 0.1, 0.2]), 2),
        (Uniform(0.11, 0.3), 3),
        (Uniform(0.0, 0.3), 1),
        (LogNormal(0.5, 0.1), 7),
        (Gamma(0.5, 0.0), 10),
        (Trace([0.1, 0.2]) + Uniform(0.1, 0.2) + Constant(0.05), 5),
        (Bursty(Uniform(0.1, 0.2), Constant(0.3), 0.1, 0.4), 2),
        (Bursty(Constant(0.1), Constant(0.3), enter=0.1, leave=0.0), 6),
        (Bursty(Constant(0.3), Constant(0.1), enter=0.0, leave=0.1), 6),
        (Undescribed(), 0),
    ],
)
def test_the_least_delay(given_latency, least):
    delays = Delays(given_latency, 0.05)
    assert delays.least == least
    delays.reset(np.random.default_rng(0))
    assert min(delays.next() for _ in range(100)) >= least


def test_least_latency_of_a_users_model_is_checked():
    class Wrong(Undescribed):
        def quantile(self, q):
            return -INF

    with pytest.raises(ArgumentError, match=r"quantile\(1e-06\) of .*-inf is not a finite number"):
        Delays(Wrong(), 0.05).least


def test_a_model_without_a_spec_is_recorded_as_it_is():
    model = Undescribed()
    assert Delays(model, 0.05).plain is model


def test_a_constant_never_draws():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    for given_latency in (3, Constant(0.1), Constant(0.1) + Constant(0.2)):
        delays = Delays(given_latency, 0.05)
        delays.reset(rng)
        delays.next()
    assert rng.bit_generator.state == before


def test_delays_go_on_alike_after_a_copy():
    delays = Delays(Doubled(Trace([0.1, 0.2, 0.3])) + LogNormal(0.1, 0.5), 0.05)
    delays.reset(np.random.default_rng(0))
    delays.next()
    copies = [copy.deepcopy(delays), pickle.loads(pickle.dumps(delays))]
    ahead = [delays.next() for _ in range(20)]
    assert [[other.next() for _ in range(20)] for other in copies] == [ahead, ahead]


def test_reset_forgets_the_state_of_the_last_episode():
    delays = Delays(Trace([0.0, 1.0, 2.0, 3.0]), 1.0)
    delays.reset(np.random.default_rng(3))
    first = [delays.next() for _ in range(3)]
    delays.reset(np.random.default_rng(3))
    assert [delays.next() for _ in range(3)] == first


def test_drawing_before_the_first_reset_is_an_error():
    with pytest.raises(ResetNeededError, match=r"call reset\(rng\) first"):
        Delays(Uniform(0.0, 0.1), 0.05).next()


@given(st.floats(0.0, 100.0), st.sampled_from([0.01, 0.02, 0.05, 1 / 30, 0.1]))
def test_no_latency_arrives_early_nor_a_tick_late(seconds, control_dt):
    (delay,) = delays_of(Constant(seconds), control_dt, 1)
    assert (delay - 1) * control_dt - 1e-6 * seconds < seconds <= delay * control_dt * (1 + 2e-6) + 1e-6 * control_dt


BAD_DELAYS = [
    ((0.05, 0.02), r"latency=0.05 is neither.*write Constant\(0.05\) for seconds or an int for ticks"),
    ((2.0, 0.02), r"write Constant\(2.0\) for seconds or an int for ticks"),
    ((np.float32(0.5), 0.02), "or an int for ticks"),
    ((-1, 0.02), "latency=-1 is too small; give an int of at least 0"),
    ((True, 0.02), "latency=True is neither"),
    (("3", 0.02), "latency='3' is neither.*give an int for ticks"),
    ((None, 0.02), "latency=None is neither"),
    (([1, 2], 0.02), r"latency=\[1, 2\] is neither"),
    ((Constant, 0.02), "is neither a number of ticks nor a model"),
    ((NAN, 0.02), "latency=nan is neither"),
    (({"model": "constnt", "seconds": 1}, 0.02), "did you mean 'constant'?"),
    ((Constant(0.1), None), r"latency=Constant\(seconds=0.1\) is in seconds.*give control_dt"),
    ((Constant(0.1), 0.0), "control_dt=0.0 is not above 0"),
    ((3, -0.02), "control_dt=-0.02"),
    ((3, NAN), "control_dt=nan"),
    ((3, INF), "control_dt=inf"),
    ((3, "fast"), "control_dt='fast'"),
    ((3, True), "control_dt=True"),
    ((Constant(1e300), 1e-300), r"1e\+300 s cannot be counted in ticks of 1e-300 s"),
]

BAD_DRAWS = [-0.1, NAN, INF, -INF, None, "0.1", True, [0.1], 1j]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_DELAYS)
def test_bad_delays(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Delays(*arguments)


@pytest.mark.parametrize("value", BAD_DRAWS, ids=map(repr, BAD_DRAWS))
@pytest.mark.parametrize("around", [lambda m: m, lambda m: m + BUSY, lambda m: Bursty(m, m, 0.5, 0.5)])
def test_bad_draw_of_a_users_model_is_caught_at_that_draw(value, around):
    delays = Delays(around(Drawn(value)), 0.05)
    delays.reset(np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=r"Drawn\(value=.*drew a latency of .*; it must be finite seconds"):
        delays.next()


def test_a_model_that_knows_no_mean_is_not_drawn_from_behind_its_back():
    class Counted(Undescribed):
        draws = 0

        def draw(self, rng, state):
            Counted.draws += 1
            return super().draw(rng, state)

    delays = Delays(Counted(), 0.05)
    assert (delays.typical, delays.knows_typical, delays.least, Counted.draws) == (0, False, 0, 0)


def test_draw_too_long_to_count_is_caught():
    delays = Delays(Drawn(1e300), 1e-300)
    delays.reset(np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="cannot be counted in ticks"):
        delays.next()


def test_mean_of_a_users_model_is_checked():
    class Wrong(LatencyModel):
        def mean(self):
            return NAN

    with pytest.raises(ArgumentError, match=r"The mean of .*nan is not a finite number"):
        Delays(Wrong(), 0.05).typical


def test_rows_that_stream_have_a_delay_each():
    assert delays_of(Streamed((0.1, 0.101, 0.3)), 0.1, 2) == [(1, 2, 3)] * 2
    assert delays_of(Streamed((0.1, 0.3)) + Constant(0.1), 0.1, 1) == [(2, 4)]
    assert delays_of(Streamed((0.1, 0.3)) + Streamed((0.1, 0.2)), 0.1, 1) == [(2, 5)]
    delays = Delays(Streamed((0.1, 0.3)), 0.1)
    assert (delays.streams, delays.rows, delays.constant, delays.typical, delays.least) == (True, 2, None, 1, 1)
    assert (Delays(3).streams, Delays(Uniform(0.1, 0.2), 0.1).rows) == (False, None)


def test_a_number_that_a_streaming_model_draws_counts_for_all_rows():
    calm = Bursty(Constant(0.1), Streamed((0.2, 0.4, 0.4)), enter=0.5, leave=0.5)
    assert set(delays_of(calm, 0.1, 50)) == {(1, 1, 1), (2, 4, 4)}


def test_a_users_model_may_stream_and_stop_early():
    @dataclass(frozen=True)
    class Early(LatencyModel):
        drawn: object
        rows: int = 3

        def draw(self, rng, state):
            return self.drawn, state

    assert delays_of(Early([0.1, 0.2]), 0.1, 1) == [(1, 2)]
    assert delays_of(Early(np.array([0.1, 0.2, 0.3], np.float32)), 0.1, 1) == [(1, 2, 3)]
    assert delays_of(Early((0.1,)) + Streamed((0.0, 0.1, 0.2)), 0.1, 1) == [(1,)]
    for drawn in ([], [0.1] * 4, [0.2, 0.1], [0.1, NAN], [0.1, "0.2"], np.zeros((1, 2)), -1.0, (0.1, True)):
        with pytest.raises(ArgumentError, match="must be finite seconds of at least 0, or a list of up to 3 of them"):
            delays_of(Early(drawn), 0.1, 1)
    with pytest.raises(ArgumentError, match=r"rows of .*='many' is not a whole number"):
        Delays(Early(0.1, rows="many"), 0.1)


def test_what_an_inference_took_becomes_its_delay():
    delays = Delays(Measured(scale=2.0), 0.05)
    delays.reset(np.random.default_rng(0))
    assert [delays.charged(seconds) for seconds in (0.0, 0.05, 0.051, np.float32(0.1))] == [0, 2, 3, 4]
    assert (delays.measured, delays.streams, delays.constant) == (True, False, None)
    assert Delays(3).measured is Delays(Uniform(0.1, 0.2), 0.1).measured is False


def test_other_latencies_come_on_top_of_what_was_measured():
    both, alone = Delays(Measured() + Uniform(0.0, 1.0), 0.1), Delays(Uniform(0.0, 1.0), 0.1)
    both.reset(np.random.default_rng(0))
    alone.reset(np.random.default_rng(0))
    assert [both.charged(0.5) for _ in range(20)] == [alone.next() + 5 for _ in range(20)]
    rows = Delays(Measured() + Streamed((0.0, 0.1)), 0.1)
    rows.reset(np.random.default_rng(0))
    assert rows.charged(0.2) == (2, 3)


@pytest.mark.parametrize("model", [Measured(), Measured() + Constant(0.1), Bursty(Measured(), Measured(), 0.5, 0.5)])
def test_what_is_measured_cannot_be_drawn(model):
    delays = Delays(model, 0.05)
    delays.reset(np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=r"Measured\(scale=1.0\) cannot be drawn from: .*call charge\(seconds\)"):
        delays.next()


@pytest.mark.parametrize("seconds", [-0.1, NAN, INF, "0.1", None, True])
def test_seconds_that_cannot_be_charged(seconds):
    delays = Delays(Measured(), 0.05)
    delays.reset(np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=r"seconds=.* is not a finite number of at least 0"):
        delays.charged(seconds)


@pytest.mark.parametrize("latency", [3, Uniform(0.1, 0.2), Bursty(Measured(), Measured(), 0.5, 0.5)])
def test_only_measured_latency_can_be_charged(latency):
    with pytest.raises(ArgumentError, match=r"0.1 s cannot be charged: .* is not measured; give latency=Measured\(\)"):
        Delays(latency, 0.05).charged(0.1)


def test_charging_before_the_first_reset_is_an_error():
    with pytest.raises(ResetNeededError, match=r"call reset\(rng\) first"):
        Delays(Measured(), 0.05).charged(0.1)


def test_only_chunks_stream_or_are_measured():
    Delays(Uniform(0.1, 0.2), 0.1).expect_whole("ActionDelay")
    with pytest.raises(ArgumentError, match="streams the rows of a chunk, but ActionDelay delays no chunks"):
        Delays(Streamed((0.1,)), 0.1).expect_whole("ActionDelay")
    with pytest.raises(ArgumentError, match="is measured on inferences, but ObservationDelay delays no chunks"):
        Delays(Measured(), 0.1).expect_whole("ObservationDelay")


def test_a_pickle_of_an_earlier_version_draws_on():
    """It knows nothing of rows, measuring and episodes."""
    delays = Delays(Uniform(0.0, 0.2) + Constant(0.1), 0.05)
    delays.reset(np.random.default_rng(0))
    old = copy.deepcopy(delays)
    for name in ("rows", "measured", "_episodes"):
        old.__dict__.pop(name)
    for name in ("rows", "measured", "recorded_dt"):
        old.model.__dict__.pop(name)
    old = pickle.loads(pickle.dumps(old))
    assert [old.next() for _ in range(20)] == [delays.next() for _ in range(20)]
    old.reset(np.random.default_rng(0))
    delays.reset(np.random.default_rng(0))
    assert (old.next(), old.streams, old.measured) == (delays.next(), False, False)
