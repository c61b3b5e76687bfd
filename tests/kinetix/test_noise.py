import numpy as np
import pytest

from chunkenv.kinetix.noise import AHEAD, ActionNoises
from chunkenv.utils.seeding import spawn

EVERYONE = np.array([True, True])


def stream(seed, ticks):
    """What a generator draws tick by tick, as `ActionNoise` does."""
    rng = spawn(seed, "action_noise")
    return np.array([rng.standard_normal(6) for _ in range(ticks)])


@pytest.mark.parametrize("counts", [[1] * 300, [7] * 90, [AHEAD, 5, AHEAD + 40, 3]])
def test_the_noise_is_the_streams_in_order_however_many_ticks_are_asked_for(counts):
    noises = ActionNoises(0.5, 2)
    noises.begin(EVERYONE, [3, 4])
    seen = []
    for count in counts:
        seen.append(noises.add_to(np.zeros((2, count, 6), np.float32)))
        noises.spend(np.array([count, count]))
    for index, seed in enumerate((3, 4)):
        expected = (0.5 * stream(seed, sum(counts))).astype(np.float32)
        np.testing.assert_array_equal(np.concatenate(seen, axis=1)[index], expected)


def test_only_what_is_played_is_spent():
    noises = ActionNoises(1.0, 2)
    noises.begin(EVERYONE, [0, 0])
    first = noises.add_to(np.zeros((2, 4, 6), np.float32))
    noises.spend(np.array([1, 4]))
    second = noises.add_to(np.zeros((2, 1, 6), np.float32))
    np.testing.assert_array_equal(second[0, 0], first[0, 1])
    np.testing.assert_array_equal(second[1, 0], stream(0, 5)[4].astype(np.float32))


def test_a_seed_starts_anew_and_no_seed_goes_on():
    noises = ActionNoises(1.0, 1)
    one, zeros = np.array([True]), np.zeros((1, 2, 6), np.float32)
    noises.begin(one, [5])
    noises.add_to(zeros)
    noises.spend(np.array([2]))
    noises.begin(one, [None])
    np.testing.assert_array_equal(noises.add_to(zeros)[0], stream(5, 4)[2:].astype(np.float32))
    noises.begin(one, [5])
    np.testing.assert_array_equal(noises.add_to(zeros)[0], stream(5, 2).astype(np.float32))


def test_the_actions_stay_as_they_are():
    noises = ActionNoises(1.0, 2)
    noises.begin(EVERYONE, [0, 1])
    actions = np.ones((2, 3, 6), np.float32)
    noises.add_to(actions)
    assert (actions == 1).all()
