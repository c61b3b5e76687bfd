import numpy as np
import pytest

from chunkenv.utils.euler import PlainEuler, euler


class Decay:
    """A flow whose Euler steps are known: each leaves 1 - 1 / steps of the distance to what is observed."""

    def velocity(self, observations, chunks, time):
        return observations - chunks


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_plain_loop_goes_the_known_way(steps):
    observed, noise = np.full((3, 1), 2.0), np.array([[0.0], [2.0], [4.0]])
    found = PlainEuler(steps)(Decay(), observed, noise)
    np.testing.assert_allclose(found, 2 + (noise - 2) * (1 - 1 / steps) ** steps)


def test_times_are_those_at_which_steps_begin():
    times = []
    euler(lambda state, time: times.append(time) or 0.0, 1.0, 4)
    assert times == [0.0, 0.25, 0.5, 0.75]


def test_equal_loops_are_one_to_a_cache():
    assert PlainEuler(5) == PlainEuler(5) != PlainEuler(4)
    assert len({PlainEuler(5), PlainEuler(5)}) == 1
