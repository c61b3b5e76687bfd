import numpy as np
import pytest

from chunkenv.bench.studies.latency_shapes import DRAWS, RECORDED, SHAPES, DelayPlan, draw_delays, latency_of, plans_for
from chunkenv.errors import ArgumentError
from chunkenv.latency import Trace, load_recording

RECORDINGS = {name: load_recording().seconds for name in RECORDED}


@pytest.mark.parametrize("mean_delay", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_delays_have_the_mean_that_was_asked_for(shape, mean_delay):
    delays = draw_delays(latency_of(shape, mean_delay, RECORDINGS))
    assert len(delays) == DRAWS
    assert delays.min() >= 1
    assert delays.mean() == pytest.approx(mean_delay, abs=0.25)


def test_a_uniform_latency_makes_every_delay_equally_likely():
    delays, counts = np.unique(draw_delays(latency_of("uniform", 3, {})), return_counts=True)
    assert delays.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(counts / DRAWS, 0.2, atol=0.03)


def test_slow_ones_come_together_where_they_are_bursty():
    def repeated(shape):
        slow = draw_delays(latency_of(shape, 3, RECORDINGS)) > 4
        return slow[1:][slow[:-1]].mean() / slow.mean()

    assert repeated("bursty") > 3
    assert repeated("recorded") > 1.5
    assert repeated("lognormal") < 1.5


def test_a_recording_keeps_its_shape():
    model = latency_of("measured", 2, {"measured": [0.001, 0.003]})
    assert isinstance(model, Trace)
    np.testing.assert_allclose(model.seconds, [0.025, 0.075])  # 1.5 ticks of 1/30 s on average


def test_plans_by_hand():
    """Twenty delays: their mean is 1.5, which is rounded up, and nineteen of them are 4 at most."""
    delays = np.array([1] * 17 + [2, 4, 7])
    assert plans_for(delays) == {"expected": DelayPlan("mean", 2), "largest": DelayPlan("max", 4)}
    assert plans_for(np.array([3, 3, 3])) == {"expected": DelayPlan("mean", 3), "largest": DelayPlan("max", 3)}
    assert plans_for(np.array([9, 9])) == {"expected": DelayPlan("mean", 4), "largest": DelayPlan("max", 4)}


def test_what_is_no_latency_is_refused():
    with pytest.raises(ArgumentError, match="latency='burst' is unknown; did you mean 'bursty'"):
        latency_of("burst", 1, {})
    with pytest.raises(ArgumentError, match="mean_delay=0 is too small"):
        latency_of("uniform", 0, {})
