"""N streams of delays are N single ones."""

import numpy as np
import pytest

from chunkenv.latency import Constant, Delays, Uniform
from chunkenv.request import DelayEstimate
from chunkenv.utils.seeding import Stream
from chunkenv.vector.delay_streams import VectorDelays, VectorEstimate

EVERYONE = np.ones(3, bool)
FIRST = np.array([True, False, False])


def test_each_has_its_own_stream():
    delays = VectorDelays(Delays(Uniform(0.0, 5.0), 0.1), [0, 1, 0])
    delays.reset(EVERYONE, [7, 7, 8])
    drawn = np.array([delays.next(EVERYONE) for _ in range(5)])
    for index, (seed, depth) in enumerate([(7, 0), (7, 1), (8, 0)]):
        alone = Delays(Uniform(0.0, 5.0), 0.1)
        alone.reset(Stream("latency", depth).begin(seed))
        assert drawn[:, index].tolist() == [alone.next() for _ in range(5)]


def test_only_those_asked_for_are_drawn():
    both = [VectorDelays(Delays(Uniform(0.0, 5.0), 0.1), [0, 0, 0]) for _ in range(2)]
    for delays in both:
        delays.reset(EVERYONE, [1, 2, 3])
    assert both[0].next(FIRST)[1:].tolist() == [0, 0]
    later, at_once = both[0].next(EVERYONE), both[1].next(EVERYONE)
    assert later[1:].tolist() == at_once[1:].tolist()
    assert later[0] == both[1].next(FIRST)[0]


@pytest.mark.parametrize("latency", [3, Constant(0.3)])
def test_a_constant_needs_no_streams(latency):
    delays = VectorDelays(Delays(latency, 0.1), [0, 0, 0])
    delays.reset(EVERYONE, [None] * 3)
    assert delays.next(FIRST).tolist() == [3, 0, 0]
    assert delays._streams == []


@pytest.mark.parametrize("kind", ["oracle", "last", "mean", "max:2"])
def test_estimates_are_those_of_each_alone(kind):
    estimate, alone = VectorEstimate(DelayEstimate(kind, prior=4), 3), [DelayEstimate(kind, prior=4) for _ in range(3)]
    met = np.array([[5, 1, 2], [0, 3, 9], [1, 1, 1]])
    for number, delays in enumerate(met):
        if number == 1:
            estimate.reset(FIRST)
            alone[0].reset()
        expected = [one.predict(int(delay)) for one, delay in zip(alone, delays, strict=True)]
        assert estimate.predict(delays).tolist() == expected
        estimate.learn(delays, ~FIRST)
        for index in (1, 2):
            alone[index].learn(int(delays[index]))
