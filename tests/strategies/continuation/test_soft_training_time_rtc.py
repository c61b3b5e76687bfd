"""What a policy that was trained with soft rows behind its prefixes is given, and what comes out."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import SoftTrainingTimeRTC, TrainingTimeRTC
from chunkenv.strategies.continuation.soft_training_time_rtc import SoftlyPrefixedEuler
from chunkenv.strategies.continuation.training_time_rtc import PrefixedEuler
from tests.strategies.policies import Prefixed, Soft, requests

NOTHING = np.zeros((3, 3), np.float32)


def rows_left(count=3, seed=4):
    return np.random.default_rng(seed).normal(size=(count, 8, 1)).astype(np.float32)


def smooth_covariance(size=8):
    rows = np.arange(size)
    return 0.9 ** np.abs(rows[:, None] - rows)


def test_each_row_begins_between_the_plan_and_noise():
    policy, left = Soft(), rows_left()
    request = requests(left, [8, 3, 0], delay=[2, 1, 2])
    SoftTrainingTimeRTC(policy).infer_batch(NOTHING, request)
    start, time, weights = policy.given[0]
    assert (len(policy.given), time) == (5, 0.0)
    np.testing.assert_allclose(weights[0], [1, 1, 0.75, 0.5, 0.25, 0, 0, 0])
    np.testing.assert_allclose(weights[1], [1, 2 / 3, 1 / 3, 0, 0, 0, 0, 0])  # the plan ends
    assert not weights[2].any()
    noise = np.stack([np.random.default_rng([0, index]).standard_normal((8, 1), np.float32) for index in range(3)])
    shares = weights[:, :, None]
    np.testing.assert_allclose(start, shares * policy.to_network(left) + (1 - shares) * noise, rtol=1e-5)


def test_without_soft_rows_it_is_the_hard_one_to_the_bit():
    request, again = (requests(rows_left(), [8, 5, 0], delay=[2, 4, 1]) for _ in range(2))
    soft = SoftTrainingTimeRTC(Soft(), rows=0).infer_batch(NOTHING, request)
    np.testing.assert_array_equal(soft, TrainingTimeRTC(Soft()).infer_batch(NOTHING, again))


def test_the_soft_loop_without_soft_rows_does_what_the_hard_one_does():
    policy, plan, noise = Soft(), rows_left(seed=5), rows_left(seed=6)
    weights = np.array([[1, 1, 0, 0, 0, 0, 0, 0]] * 3, np.float32)
    lengths = np.full(3, 2)
    soft = SoftlyPrefixedEuler(5)(policy, NOTHING, noise, plan, weights[:, :, None], weights)
    hard = PrefixedEuler(5)(policy, NOTHING, noise, plan, weights[:, :, None], lengths)
    np.testing.assert_allclose(soft[:, :2], hard[:, :2])
    np.testing.assert_allclose(soft[:, 2:], hard[:, 2:], atol=1e-6)  # rows that are independent: the prefix has no say


def test_independent_rows_keep_as_much_of_the_plan_as_their_weight_says():
    """Rows of unit variance: the exact flow from time w to 1 divides by the standard deviation at w."""
    policy, left = Soft(), rows_left()
    policy.steps, policy.mean = 2000, lambda observations: np.zeros((len(observations), 8))
    chunk = policy.to_network(SoftTrainingTimeRTC(policy).infer_batch(NOTHING, requests(left, [8, 8, 8], delay=1)))
    start, _, weights = policy.given[0]
    exact = start / np.hypot(weights, 1 - weights)[:, :, None]
    np.testing.assert_allclose(chunk, exact, atol=3e-3)


def test_a_plan_from_the_data_gives_chunks_of_the_data():
    """The flow carries what lies between data and noise to data: the covariance of the chunks is that of the data."""
    covariance = smooth_covariance()
    policy = Soft(covariance=covariance, dtype=np.float64)
    policy.mean = lambda observations: np.zeros((len(observations), 8))
    weights = np.tile([1, 0.75, 0.5, 0.25, 0, 0, 0, 0], (8, 1))
    through = SoftlyPrefixedEuler(400)

    def linear(noise, plan):  # the loop is linear: what it makes of each unit vector
        return through(policy, np.zeros((8, 3)), noise, plan, weights[:, :, None], weights)[:, :, 0].T

    unit, none = np.eye(8)[:, :, None], np.zeros((8, 8, 1))
    of_plan, of_noise = linear(none, unit), linear(unit, none)
    found = of_plan @ covariance @ of_plan.T + of_noise @ of_noise.T
    np.testing.assert_allclose(found, covariance, atol=0.02)


def test_more_soft_rows_stay_nearer_to_the_plan():
    left, observations = rows_left(64), np.zeros((64, 3), np.float32)

    def distance(rows):
        chunks = SoftTrainingTimeRTC(Soft(), rows).infer_batch(observations, requests(left, [8] * 64, delay=1))
        return np.abs(chunks - left)[:, 1:4].mean()

    assert distance(0) > distance(1) > distance(3)


def test_filling_has_no_say():
    left = rows_left()
    clean = SoftTrainingTimeRTC(Soft()).infer_batch(NOTHING, requests(left, [2, 3, 4], delay=1))
    left[0, 2:], left[1, 3:], left[2, 4:] = np.nan, np.nan, np.nan
    again = SoftTrainingTimeRTC(Soft()).infer_batch(NOTHING, requests(left, [2, 3, 4], delay=1))
    np.testing.assert_array_equal(again, clean)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SoftTrainingTimeRTC(Prefixed()), "Prefixed has soft_rows=0: train one"),
        (lambda: SoftTrainingTimeRTC(Soft(), rows=4), "rows=4 is too large"),
        (lambda: SoftTrainingTimeRTC(Soft(), rows=-1), "rows=-1 is too small"),
    ],
)
def test_what_cannot_be_meant(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_it_costs_what_a_plain_chunk_costs():
    assert SoftTrainingTimeRTC(Soft()).cost == TrainingTimeRTC(Soft()).cost
