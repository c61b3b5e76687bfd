"""PAINT on straight flows, which Euler steps follow exactly: chunks are mean + root @ noise, the root is chosen.

With a triangular root no row depends on the noise of a later one, and what PAINT draws is the exact conditional. With
the symmetric root of the same covariance it is not: both answers are known in closed form.
"""

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError
from chunkenv.strategies import PAINT, Naive
from chunkenv.strategies.continuation.paint import PaintedEuler
from chunkenv.testing import StrategyContract
from tests.strategies.policies import Denoising, Gaussian, Network, generators, requests

HORIZON, FROZEN = 5, 2
MEAN = np.linspace(-1.0, 1.0, HORIZON)
CONVERGED = 100


class Straight(Denoising):
    """Carries noise along straight lines to mean + root @ noise: velocity = mean + (root - 1) @ noise."""

    prediction_horizon, action_size = HORIZON, 1

    def __init__(self, root, dtype=np.float64):
        self.root, self.dtype = root, dtype

    def velocity(self, observations, chunks, time):
        eye = np.eye(HORIZON)
        noise = np.linalg.solve((1 - time) * eye + time * self.root, (chunks[:, :, 0] - time * MEAN).T)
        return (MEAN + ((self.root - eye) @ noise).T)[:, :, None].astype(self.dtype)


def covariance(seed=0):
    factor = np.random.default_rng(seed).normal(size=(HORIZON, HORIZON))
    return 0.5 * np.eye(HORIZON) + 0.2 * factor @ factor.T / HORIZON


def triangular():
    return np.linalg.cholesky(covariance())


def symmetric():
    values, vectors = np.linalg.eigh(covariance())
    return vectors * np.sqrt(values) @ vectors.T


def painted(root, noise, prefix, iterations=CONVERGED):
    """The chunks [N, H] of noise [N, H] with a prefix [k]."""
    plan = np.zeros((len(noise), HORIZON, 1))
    plan[:, : len(prefix), 0] = prefix
    frozen = (np.arange(HORIZON) < len(prefix)).astype(float)[None, :, None]
    loop = PaintedEuler(Straight(root).steps, iterations)
    return loop(Straight(root), np.zeros((len(noise), 3)), noise[:, :, None], plan, frozen)[:, :, 0]


def affine(root, prefix, **settings):
    """What PAINT draws, exactly: it is affine in the noise, so the mean and the covariance of [H] are read off."""
    answers = painted(root, np.vstack([np.zeros(HORIZON), np.eye(HORIZON)]), prefix, **settings)
    rows = answers[1:] - answers[0]
    return answers[0], rows.T @ rows


def conditional(prefix):
    """Mean and covariance of the rows behind a prefix, of the Gaussian."""
    whole, known = covariance(), len(prefix)
    gain = whole[known:, :known] @ np.linalg.inv(whole[:known, :known])
    return MEAN[known:] + gain @ (prefix - MEAN[:known]), whole[known:, known:] - gain @ whole[:known, known:]


PREFIX = np.array([0.4, -1.3])


def test_where_no_row_knows_of_later_noise_it_draws_the_exact_conditional():
    mean, spread = affine(triangular(), PREFIX)
    expected = conditional(PREFIX)
    np.testing.assert_allclose(mean[FROZEN:], expected[0], atol=1e-9)
    np.testing.assert_allclose(spread[FROZEN:, FROZEN:], expected[1], atol=1e-9)
    np.testing.assert_allclose(mean[:FROZEN], PREFIX, atol=1e-9)
    np.testing.assert_allclose(spread[:FROZEN], 0.0, atol=1e-9)


def test_samples_have_that_distribution_too():
    noise = np.random.default_rng(3).normal(size=(20000, HORIZON))
    rows = painted(triangular(), noise, PREFIX, iterations=10)[:, FROZEN:]
    mean, spread = conditional(PREFIX)
    np.testing.assert_allclose(rows.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(rows.T), spread, atol=0.03)


def test_with_the_symmetric_root_it_is_another_distribution():
    """The prefix's noise is moved by the inverse of a Schur complement; the later rows' noise knows nothing of it."""
    root = symmetric()
    moved = np.linalg.inv(root)[:FROZEN, :FROZEN]
    mean, spread = affine(root, PREFIX)
    expected = MEAN + root[:, :FROZEN] @ moved @ (PREFIX - MEAN[:FROZEN])
    rows = root - root[:, :FROZEN] @ moved @ root[:FROZEN]
    np.testing.assert_allclose(mean, expected, atol=1e-9)
    np.testing.assert_allclose(spread, rows @ rows.T, atol=1e-9)
    exact, _ = conditional(PREFIX)
    assert np.abs(mean[FROZEN:] - exact).sum() < np.abs(MEAN[FROZEN:] - exact).sum()  # nearer than without a prefix,
    assert np.abs(mean - MEAN)[FROZEN:].sum() < 0.7 * np.abs(exact - MEAN[FROZEN:]).sum()  # but they follow it less,
    assert np.abs(mean[:FROZEN] - PREFIX).max() > 0.001  # nor is the prefix met


def test_every_iteration_comes_nearer():
    missed = [np.abs(affine(triangular(), PREFIX, iterations=k)[0][:FROZEN] - PREFIX).max() for k in (1, 2, 4, 8)]
    assert missed == sorted(missed, reverse=True)
    assert missed[0] < 0.5 * np.abs(MEAN[:FROZEN] - PREFIX).max()
    assert missed[-1] < 1e-4


def infer(policy, request, **settings):
    return PAINT(policy, **settings).infer_batch(np.zeros((len(request.tick), 3), np.float32), request)


def rows_left(count=4):
    return np.random.default_rng(4).normal(size=(count, 8, 1)).astype(np.float32)


def test_the_chunk_begins_with_its_prefix():
    """A chunk that is there sooner than expected goes on with what its later rows continue."""
    left = rows_left(3)
    chunks = infer(Gaussian(), requests(left, [4, 4, 4], delay=[1, 2, 3]))
    for row, delay in enumerate((1, 2, 3)):
        np.testing.assert_array_equal(chunks[row, :delay], left[row, :delay])
        assert (np.abs(chunks - left)[row, delay:] > 1e-3).all()


def test_the_later_rows_continue_the_prefix_in_the_networks_space():
    """A straight flow behind actions 2 * chunk + 1: the mean of many chunks is the conditional mean."""
    policy = Straight(triangular(), np.float32)
    left = np.zeros((4000, HORIZON, 1), np.float32)
    left[:, :FROZEN, 0] = policy.to_actions(PREFIX)
    chunks = infer(policy, requests(left, [3] * 4000, delay=FROZEN, execution_horizon=2), iterations=10)
    mean = policy.to_network(chunks[:, FROZEN:, 0]).mean(axis=0)
    np.testing.assert_allclose(mean, conditional(PREFIX)[0], atol=0.06)


def correlated(size=8):
    """Chunks whose rows depend on one another."""
    return Gaussian(covariance=0.3 * np.eye(size) + 0.7)


@pytest.mark.parametrize("policy", [correlated(), Network()], ids=["numpy", "jax"])
def test_without_a_prefix_it_is_the_plain_policys_to_the_bit(policy):
    """At the start of an episode, without delay, and for a synchronous robot; whatever else is in the batch."""
    observations = np.zeros((4, 3), np.float32)
    lengths, delays = np.array([4, 0, 4, 0]), np.array([2, 2, 0, 0])
    plain = Naive(policy).infer_batch(observations, requests(rows_left(), lengths, delay=delays))
    mixed = PAINT(policy).infer_batch(observations, requests(rows_left(), lengths, delay=delays))
    np.testing.assert_array_equal(mixed[1:], plain[1:])
    assert (np.abs(mixed - plain)[0, 2:] > 1e-4).any()


def test_each_chunk_draws_once_from_its_own_generator():
    request = requests(rows_left(), [4, 0, 4, 0], delay=2)
    infer(Gaussian(), request)
    for rng, fresh in zip(request.rng, generators(4), strict=True):
        fresh.standard_normal((8, 1), np.float32)
        assert rng.random() == fresh.random()


@pytest.mark.parametrize("filling", [0.0, 1e6, np.nan])
def test_rows_behind_the_prefix_have_no_say(filling):
    left = rows_left()
    expected = infer(correlated(), requests(left, [4] * 4, delay=2))
    left[:, 2:] = filling
    np.testing.assert_array_equal(infer(correlated(), requests(left, [2] * 4, delay=4)), expected)


def test_other_prefixes_compile_nothing_again():
    policy, observations = Network(), np.zeros((4, 3), np.float32)
    for delay in (1, 2, 3):
        PAINT(policy).infer_batch(observations, requests(rows_left(), [4] * 4, delay=delay))
    assert policy.traces == 1


class Steep(Gaussian):
    """Velocities that grow fast with the chunk: each fixed-point iteration is farther away."""

    def velocity(self, observations, chunks, time):
        return np.float32(1e5) * chunks


def test_an_inversion_that_diverges_is_no_answer():
    words = r"PAINT's flow led to NaN or infinite numbers in 3 of 4 chunks: with iterations=4 the inversion"
    with np.errstate(all="ignore"), pytest.raises(ArgumentError, match=words):
        infer(Steep(), requests(rows_left(), [4, 0, 4, 4], delay=2), iterations=4)


@pytest.mark.parametrize(("iterations", "evaluations"), [(1, 15), (3, 25)])
def test_what_it_costs(iterations, evaluations):
    """What it says is what is evaluated."""
    counted = []

    class Counted(Gaussian):
        def velocity(self, observations, chunks, time):
            counted.append(time)
            return super().velocity(observations, chunks, time)

    strategy = PAINT(Counted(), iterations)
    strategy.infer_batch(np.zeros((4, 3)), requests(rows_left(), [4] * 4, delay=2))
    assert strategy.cost == (evaluations, 0, 100 * evaluations)
    assert len(counted) == evaluations
    assert max(counted) < 1.0  # a denoiser's time never is


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PAINT(Gaussian(), 0), "iterations=0"),
        (lambda: PAINT(Gaussian(), 1.5), "iterations=1.5"),
        (lambda: PAINT(object()), "has no method infer"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_a_policy_without_velocities_is_refused():
    policy = Gaussian()
    policy.velocity = None
    with pytest.raises(ArgumentError, match=r"PAINT needs a policy with velocity.* use Naive or BID"):
        PAINT(policy)


def test_without_generators_it_refuses():
    with pytest.raises(ArgumentError, match="but PAINT draws from it"):
        infer(Gaussian(), requests(rows_left(), [4] * 4, delay=2)._replace(rng=None))


class TestPAINT(StrategyContract):
    decisions = 8

    def make_policy(self):
        return PAINT(Gaussian())

    def make_env(self):
        return ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2)
