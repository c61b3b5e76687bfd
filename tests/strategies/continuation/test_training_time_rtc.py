"""What a policy that was trained with prefixes is given, and what comes out."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import TrainingTimeRTC
from tests.strategies.policies import Gaussian, Prefixed, requests


def rows_left(count=3, seed=4):
    return np.random.default_rng(seed).normal(size=(count, 8, 1)).astype(np.float32)


def infer(policy, request, **arguments):
    return TrainingTimeRTC(policy, **arguments).infer_batch(np.zeros((len(request.tick), 3), np.float32), request)


def test_the_prefix_is_clean_at_every_step_and_in_the_networks_space():
    policy, left = Prefixed(), rows_left()
    infer(policy, requests(left, [4, 4, 0], delay=[2, 0, 2]))
    assert [time for _, time, _ in policy.given] == [0.0, 0.2, 0.4, 0.6, 0.8]
    for chunks, _, lengths in policy.given:
        np.testing.assert_array_equal(lengths, [2, 0, 0])
        np.testing.assert_allclose(policy.to_actions(chunks[0, :2]), left[0, :2], rtol=1e-5)


def test_the_chunk_begins_with_its_prefix():
    left = rows_left()
    chunks = infer(Prefixed(), requests(left, [4, 4, 4], delay=[1, 2, 3]))
    for row, delay in enumerate((1, 2, 3)):
        np.testing.assert_allclose(chunks[row, :delay], left[row, :delay], rtol=1e-5)
        assert (np.abs(chunks - left)[row, delay:] > 1e-3).all()


def test_without_a_prefix_it_is_the_plain_policy():
    policy = Prefixed()
    chunks = infer(policy, requests(rows_left(), [4, 0, 4], delay=0))
    plain = policy.infer_batch(np.zeros((3, 3), np.float32), requests(rows_left(), [4, 0, 4]))
    np.testing.assert_allclose(chunks, plain, rtol=1e-6)


def test_the_prefix_has_the_rows_that_are_there():
    """A delay of 6 with 3 rows left: three rows, and then underruns, which are no plan."""
    policy = Prefixed()
    infer(policy, requests(rows_left(), [3, 3, 3], delay=6))
    np.testing.assert_array_equal(policy.given[0][2], [3, 3, 3])


def test_filling_has_no_say():
    left = rows_left()
    clean = infer(Prefixed(), requests(left, [2, 2, 2], delay=4))
    left[:, 2:] = np.nan
    np.testing.assert_array_equal(infer(Prefixed(), requests(left, [2, 2, 2], delay=4)), clean)


def test_a_longer_prefix_than_it_was_trained_with_is_refused():
    policy = Prefixed()
    words = "A prefix has 5 rows, but the policy was trained with at most max_prefix=4: choose a delay of at most that"
    with pytest.raises(ArgumentError, match=words):
        infer(policy, requests(rows_left(), [6, 6, 6], delay=[1, 5, 2], execution_horizon=2))
    assert not policy.given


def test_a_longer_prefix_may_be_cut():
    """The policy is given as many rows as it knows, and what it answers is what it answers to those."""
    policy = Prefixed()
    late = requests(rows_left(), [6, 6, 6], delay=[1, 5, 2], execution_horizon=2)
    cut = infer(policy, late, longer_prefix="cut")
    np.testing.assert_array_equal(policy.given[0][2], [1, 4, 2])
    short = requests(rows_left(), [6, 6, 6], delay=[1, 4, 2], execution_horizon=2)
    np.testing.assert_array_equal(cut, infer(Prefixed(), short))


def test_other_words_are_refused():
    with pytest.raises(ArgumentError, match="longer_prefix='drop'"):
        TrainingTimeRTC(Prefixed(), longer_prefix="drop")


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Gaussian(), "Gaussian has prefix_conditioned=False: train one with prefixes, or use RTC"),
        (object(), "has no method infer"),
        (Prefixed, "policy=Prefixed is a class"),
    ],
    ids=["plain", "object", "class"],
)
def test_another_policy_is_refused(policy, words):
    with pytest.raises(ArgumentError, match=words):
        TrainingTimeRTC(policy)


def test_without_generators_it_refuses():
    with pytest.raises(ArgumentError, match="but TrainingTimeRTC draws from it"):
        infer(Prefixed(), requests(rows_left(), [4, 4, 4])._replace(rng=None))


def test_it_costs_what_a_plain_chunk_costs():
    cost = TrainingTimeRTC(Prefixed()).cost
    assert (cost.evaluations, cost.vjps, cost.flops) == (5, 0, 500)
