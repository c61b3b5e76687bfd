"""How far the last denoising steps moved the clean chunk: variances by hand, and the chunk is the plain one."""

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError
from chunkenv.strategies import DVAC
from chunkenv.strategies.horizons.dvac import CHUNKS_FIRST, WatchedEuler
from chunkenv.testing import StrategyContract
from tests.strategies.policies import Denoising, Gaussian, Network, requests


class Moving(Denoising):
    """Expects the clean chunk 5 * time * slope in step by step: 0, 1, 2, 3 and 4 times the slopes of its rows."""

    def __init__(self, slopes):
        self.slopes = np.asarray(slopes, np.float64)[None, :, None]
        self.prediction_horizon = len(slopes)

    def velocity(self, observations, chunks, time):
        return (5 * time * self.slopes - chunks) / (1 - time)


def at_the_start(count, rows=8, horizons=(1, 8)):
    request = requests(np.zeros((count, rows, 1)), [0] * count, ticks=np.zeros(count, int))
    return request._replace(horizons=horizons)


@pytest.mark.parametrize(("last", "variance"), [(2, 1 / 4), (3, 2 / 3), (5, 2.0)])
def test_variances_are_those_of_the_last_expected_chunks(last, variance):
    slopes = np.array([0.0, 1.0, -2.0])
    answer = WatchedEuler(5, last)(Moving(slopes), np.zeros((1, 3)), np.ones((1, 3, 1)), CHUNKS_FIRST)
    assert answer.shape == (2, 1, 3, 1)
    np.testing.assert_allclose(answer[0, 0, :, 0], 4 * slopes, atol=1e-12)  # a chunk is what was expected last
    np.testing.assert_allclose(answer[1, 0, :, 0], variance * slopes**2, atol=1e-12)


def test_rows_are_executed_up_to_where_the_chunk_still_moved():
    strategy = DVAC(Moving([0, 0, 0, 0, 0, 1, 0, 3]), alpha=1.0)
    _, horizons = strategy.infer_batch(np.zeros((1, 3)), at_the_start(1))
    assert horizons.tolist() == [7]  # variances 2/3 and 6, of 8: their mean is 0.83, the deviation 2.0
    _, horizons = DVAC(strategy.policy, alpha=-0.25).infer_batch(np.zeros((1, 3)), at_the_start(1))
    assert horizons.tolist() == [5]
    _, horizons = DVAC(strategy.policy, alpha=3.0).infer_batch(np.zeros((1, 3)), at_the_start(1))
    assert horizons.tolist() == [8]


@pytest.mark.parametrize("policy", [Gaussian(), Network()], ids=["numpy", "jax"])
def test_the_chunk_is_the_plain_policys(policy):
    observations = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    chunks, _ = DVAC(policy).infer_batch(observations, at_the_start(3))
    np.testing.assert_allclose(chunks, policy.infer_batch(observations, at_the_start(3)), rtol=1e-5, atol=1e-6)


def test_what_it_costs():
    assert DVAC(Gaussian()).cost == (5, 0, 500)


def test_half_the_steps_are_compared_if_nothing_is_said():
    assert [DVAC(policy).last for policy in (Gaussian(), with_steps(10), with_steps(2))] == [3, 5, 2]


def with_steps(steps):
    policy = Gaussian()
    policy.steps = steps
    return policy


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DVAC(Gaussian(), last=1), "last=1"),
        (lambda: DVAC(Gaussian(), last=6), "last=6 is more than the policy's 5 Euler steps"),
        (lambda: DVAC(with_steps(1)), "last=2 is more than the policy's 1 Euler steps"),
        (lambda: DVAC(Gaussian(), alpha=None), "alpha=None"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_a_policy_without_velocities_is_refused():
    policy = Gaussian()
    policy.velocity = None
    with pytest.raises(ArgumentError, match=r"DVAC needs a policy with velocity.* use AdaptiveHorizon"):
        DVAC(policy)


def test_a_request_that_lacks_something_is_refused():
    strategy, observations = DVAC(Gaussian()), np.zeros((2, 3))
    with pytest.raises(ArgumentError, match="but DVAC draws from it"):
        strategy.infer_batch(observations, at_the_start(2)._replace(rng=None))
    with pytest.raises(ArgumentError, match="horizons=None"):
        strategy.infer_batch(observations, at_the_start(2, horizons=None))


class TestDVAC(StrategyContract):
    decisions = 8

    def make_policy(self):
        return DVAC(Gaussian(covariance=0.3 * np.eye(8) + 0.7))

    def make_env(self):
        return ChunkedExecution(gym.make("Pendulum-v1"), 8, (2, 6), latency=1)
