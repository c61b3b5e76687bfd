import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.latency import load_recording
from chunkenv.latency.delay_shares import correlation


def test_the_recording_has_a_long_tail_and_slow_ones_come_together():
    seconds = np.array(load_recording().seconds)
    half, late, slowest = np.quantile(seconds, [0.5, 0.95, 1.0])
    assert (round(1e3 * half, 1), round(1e3 * late), round(1e3 * slowest)) == (3.0, 21, 70)
    assert correlation([seconds.tolist()]) > 0.4


def test_another_one_is_not_there():
    with pytest.raises(ArgumentError, match=r"name='robot' is unknown; choose .*'loaded_machine'"):
        load_recording("robot")
