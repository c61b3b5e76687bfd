import numpy as np
import pytest

from chunkenv.data import LaterWindows, Windows
from chunkenv.errors import ArgumentError
from tests.data.making import in_memory


@pytest.fixture
def dataset():
    return in_memory([4, 6])


def test_windows_are_drawn_as_without_and_observations_go_on_to_the_last(dataset):
    drawn = LaterWindows(dataset, 3, later=2).sample(np.random.default_rng(0), 50)
    plain = Windows(dataset, 3).sample(np.random.default_rng(0), 50)
    assert drawn.observations.shape == (50, 3, dataset.observations.shape[1])
    np.testing.assert_array_equal(drawn.observations[:, 0], plain.observations)
    np.testing.assert_array_equal(drawn.chunks, plain.chunks)
    np.testing.assert_array_equal(drawn.mask, plain.mask)
    ticks = np.random.default_rng(0).integers(10, size=50)
    last = np.where(ticks < 4, 3, 9)
    for later in (1, 2):
        expected = dataset.observations[np.minimum(ticks + later, last)]
        np.testing.assert_array_equal(drawn.observations[:, later], expected)


def test_a_number_that_cannot_be_meant(dataset):
    with pytest.raises(ArgumentError, match="later=0"):
        LaterWindows(dataset, 3, later=0)
    assert len(LaterWindows(dataset, 3, later=1)) == 10
