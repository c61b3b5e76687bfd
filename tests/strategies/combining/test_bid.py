"""With a policy that ignores its input, BID's choice follows from distances that can be worked out by hand."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import BID
from tests.strategies.policies import Dear, Gaussian, Listed, Network, generators, requests


def flat(*values):
    """Chunks of four rows of one number, each chunk constant."""
    return [np.full((4, 1), value) for value in values]


def choose(strategy, left, lengths, delay=0, execution_horizon=2):
    request = requests(np.asarray(left, np.float32), lengths, delay, execution_horizon)
    return strategy.infer_batch(np.zeros((len(lengths), 3), np.float32), request)


def test_the_nearest_to_what_is_left_is_chosen():
    strategy = BID(Listed(flat(0.0, 3.0, 1.0, 2.0)), samples=4)
    chosen = choose(strategy, np.full((3, 4, 1), [[[2.2]], [[0.9]], [[-5.0]]]), [2, 2, 2], delay=1, execution_horizon=2)
    np.testing.assert_array_equal(chosen[:, 0, 0], [2.0, 1.0, 0.0])


def test_early_rows_weigh_more():
    """Left: 0, 0. A is wrong by 1 in row 0 (weight 1), B by 2 in row 1 (weight w(1/2) = .19 of 'exp'): B is chosen."""
    a, b = [[1], [0], [9], [9]], [[0], [2], [9], [9]]
    left = np.zeros((1, 4, 1))
    soft = choose(BID(Listed([a, b]), samples=2), left, [2], delay=1, execution_horizon=2)
    np.testing.assert_array_equal(soft[0], b)
    even = choose(BID(Listed([a, b]), samples=2, schedule="ones"), left, [2], delay=1, execution_horizon=2)
    np.testing.assert_array_equal(even[0], a)


def test_distances_are_euclidean_per_row():
    """Distances 5.2, 4.95 and 3 + 3: the second. Sums of numbers would take the first, of squares the third."""
    a, b, c = [[5.2, 0], [0, 0]], [[3.5, 3.5], [0, 0]], [[3, 0], [3, 0]]
    strategy = BID(Listed([a, b, c]), samples=3, schedule="ones")
    np.testing.assert_array_equal(choose(strategy, np.zeros((1, 2, 2)), [2], execution_horizon=0)[0], b)


def test_rows_that_are_not_left_do_not_count():
    a, b = [[1], [0], [0], [0]], [[0], [9], [9], [9]]
    for filling in (0.0, np.nan):
        left = np.full((1, 4, 1), filling)
        left[0, 0] = 0.0
        chosen = choose(BID(Listed([a, b]), samples=2), left, [1], execution_horizon=1)
        np.testing.assert_array_equal(chosen[0], b)


def test_with_nothing_left_the_first_sample_is_kept():
    chosen = choose(BID(Listed(flat(5.0, 0.0, 1.0)), samples=3), np.zeros((2, 4, 1)), [0, 0])
    np.testing.assert_array_equal(chosen[:, 0, 0], [5.0, 5.0])


def test_the_contrast_by_hand():
    """Left: 0; one row counts (weight w(1/2) each way the same), so losses order the samples by |value|.

    Strong 0, 1, 1.2, weak 0.1, 5; K = 1: the positive set is {0}, the negative {0.1}; rows add up to 4 |difference|.
    0: (0 - .4) / 3; 1: (4 - 3.6) / 3; 1.2: (4.8 - 4.4) / 3. Coherence adds 0, w, 1.2 w: 0 is chosen.
    """
    chosen = choose(
        BID(Listed(flat(0.0, 1.0, 1.2)), 3, weak=Listed(flat(0.1, 5.0, 6.0)), mode_size=1), [[[0]] * 4], [1]
    )
    assert chosen[0, 0, 0] == 0.0


def test_a_weak_policy_repels():
    """Strong 1, -1.1 are nearly as coherent; all weak samples are at 1.1: with all in both sets -1.1 is chosen.

    K = 2, four rows, N = 2. 1: (0 + 8.4 - 2 * .4) / 2 = 3.8 and coherence w; -1.1: (8.4 + 0 - 2 * 8.8) / 2 = -4.6.
    """
    strong, weak = flat(1.0, -1.1), flat(1.1, 1.1)
    alone = choose(BID(Listed(strong), 2), [[[0]] * 4], [1], execution_horizon=1)
    assert alone[0, 0, 0] == 1.0
    repelled = choose(BID(Listed(strong), 2, weak=Listed(weak), mode_size=2), [[[0]] * 4], [1], execution_horizon=1)
    assert repelled[0, 0, 0] == np.float32(-1.1)


def test_the_mode_size_decides_who_is_in_the_sets():
    """Left 0 in one row; strong 4, 3, 0; weak -8, 0, -8.

    K = 1: the sets {0} and {0} cancel, so coherence decides: 0. K = 3, sums over four rows, divided by 3:
    0: (28 - 64) / 3 = -12; 3: (16 - 100) / 3 = -28; 4: (20 - 112) / 3 = -30.67, and coherence adds 4 * .19 at most: 4.
    """
    strong, weak = flat(4.0, 3.0, 0.0), flat(-8.0, 0.0, -8.0)
    one = choose(BID(Listed(strong), 3, weak=Listed(weak), mode_size=1), [[[0]] * 4], [1])
    all_of_them = choose(BID(Listed(strong), 3, weak=Listed(weak), mode_size=3), [[[0]] * 4], [1])
    assert (one[0, 0, 0], all_of_them[0, 0, 0]) == (0.0, 4.0)


def test_the_bad_ones_are_the_weak_samples_that_are_coherent():
    """Left 0 in one row, weight .19; K = 2: the good ones are 0 and 1, the bad ones -1 and -1.2 (7 is no continuation).

    Sums over four rows, divided by 3: 0: (4 - 8.8) / 3 = -1.6; 1: (4 - 16.8) / 3 + .19 = -4.08;
    5: (36 - 48.8) / 3 + .94 = -3.33: 1 is chosen.
    """
    weak = Listed(flat(7.0, -1.0, -1.2))
    chosen = choose(BID(Listed(flat(0.0, 1.0, 5.0)), 3, weak=weak, mode_size=2), [[[0]] * 4], [1])
    assert chosen[0, 0, 0] == 1.0


def test_at_the_start_all_samples_are_in_both_sets():
    """Nothing is left, so that nothing tells good samples from bad: as above with K = 3, whatever K is."""
    strong, weak = flat(0.0, 3.0, 4.0), flat(0.0, -8.0, -8.0)
    chosen = choose(BID(Listed(strong), 3, weak=Listed(weak), mode_size=1), np.zeros((1, 4, 1)), [0])
    assert chosen[0, 0, 0] == 4.0


def test_samples_come_from_the_episodes_own_generator():
    policy, left = Gaussian(), np.random.default_rng(0).normal(size=(2, 8, 1)).astype(np.float32)
    observations = np.zeros((2, 3), np.float32)
    both = BID(policy, 4).infer_batch(observations, requests(left, [4, 4], delay=2))
    alone = requests(left[1:], [4], delay=2)._replace(rng=generators(2)[1:])
    np.testing.assert_allclose(BID(policy, 4).infer_batch(observations[1:], alone), both[1:], rtol=1e-6)
    drawn = generators(2)[1]
    noise = [drawn.standard_normal((8, 1), np.float32) for _ in range(4)]
    chunks = [policy.infer_batch(observations[:1], requests(left[1:], [4])._replace(rng=[Replay(n)])) for n in noise]
    assert any(np.allclose(chunk, both[1:], atol=1e-5) for chunk in chunks)


class Replay:
    def __init__(self, noise):
        self.noise = noise

    def standard_normal(self, *arguments):
        return self.noise


def test_one_sample_is_the_plain_policy():
    policy, left = Network(), np.zeros((3, 8, 1), np.float32)
    observations = np.ones((3, 3), np.float32)
    plain = policy.infer_batch(observations, requests(left, [4, 0, 4]))
    np.testing.assert_array_equal(BID(policy, 1).infer_batch(observations, requests(left, [4, 0, 4])), plain)


def test_more_samples_are_nearer():
    policy, left = Gaussian(), np.random.default_rng(0).normal(size=(64, 8, 1)).astype(np.float32)
    distances = []
    for samples in (1, 4, 16):
        chunks = choose(BID(policy, samples), left, [4] * 64, delay=2)
        distances.append(np.abs(chunks - left)[:, :2].mean())
    assert distances[0] > distances[1] > distances[2]


def test_it_compiles_once():
    policy = Network()
    for delay in (0, 1, 2):
        choose(BID(policy, 4), np.zeros((2, 8, 1)), [4, 4], delay=delay)
    assert policy.traces == 1


def test_both_policies_are_reset():
    class Counted(Listed):
        resets = 0

        def reset(self):
            self.resets += 1

    strong, weak = Counted(flat(0.0)), Counted(flat(0.0))
    BID(strong, weak=weak).reset()
    assert (strong.resets, weak.resets) == (1, 1)


def test_what_it_costs():
    assert BID(Gaussian(), 16).cost == (80, 0, 8000)
    assert BID(Gaussian(), 16, weak=Gaussian()).cost == (160, 0, 16000)


def test_samples_that_differ_in_cost_are_added_up():
    """Of two requests with two samples each the policy's chunks cost 1, 2, 3 and 4 evaluations."""
    strategy = BID(Dear(Gaussian()), samples=2)
    choose(strategy, np.zeros((2, 8, 1)), [4, 4])
    assert [cost.evaluations for cost in strategy.costs] == [1 + 2, 3 + 4]
    assert strategy.cost == strategy.costs[-1]
    strategy = BID(Dear(Gaussian()), samples=2, weak=Gaussian())
    choose(strategy, np.zeros((2, 8, 1)), [4, 4])
    assert [cost.evaluations for cost in strategy.costs] == [1 + 2 + 2 * 5, 3 + 4 + 2 * 5]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"samples": 0}, "samples=0 is too small"),
        ({"samples": 2.0}, "samples=2.0 is not a whole number"),
        ({"schedule": "rho"}, "schedule='rho' is unknown"),
        ({"mode_size": 3}, "mode_size=3 has no effect without a weak policy"),
        ({"mode_size": 17, "weak": Gaussian()}, "mode_size=17 is more than samples=16; choose one from 1 to 16."),
        ({"mode_size": 0, "weak": Gaussian()}, "mode_size=0 is too small"),
        ({"weak": object()}, "has no method infer"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, words):
    with pytest.raises(ArgumentError) as error:
        BID(Gaussian(), **settings)
    assert words in str(error.value)


def test_a_policy_without_batches_is_refused():
    policy = Listed(flat(0.0))
    policy.infer_batch = None
    with pytest.raises(ArgumentError, match=r"BID needs a policy with infer_batch.*without several samples there is"):
        BID(policy)
    with pytest.raises(ArgumentError, match="BID's forward contrast needs a policy with infer_batch"):
        BID(Gaussian(), weak=policy)


def test_without_generators_it_refuses():
    with pytest.raises(ArgumentError, match="but BID draws from it"):
        BID(Gaussian()).infer_batch(np.zeros((1, 3)), requests(np.zeros((1, 8, 1)), [4])._replace(rng=None))
