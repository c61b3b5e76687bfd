"""How a flow policy's chunks change with the observation."""

import numpy as np
import pytest

from chunkenv.kinetix import EngineModel
from chunkenv.strategies import JacobianReflex
from tests.agents.policies.test_flow_policy import Asked, batch, policy, streams


def test_the_derivative_is_that_of_the_chunks():
    """Against differences of chunks at either side; the chunks themselves are those of `infer_batch`."""
    own, (observations, directions) = policy(), batch()[:1] * 2
    directions = np.random.default_rng(2).standard_normal(directions.shape, np.float32)
    noise = np.stack([rng.standard_normal((8, 6), np.float32) for rng in streams(4)])
    chunks, change = own.observation_jvp(observations, noise, directions)
    np.testing.assert_allclose(chunks, own.infer_batch(observations, Asked(streams(4))), atol=1e-5)
    either = [own.infer_batch(observations + sign * 1e-2 * directions, Asked(streams(4))) for sign in (1, -1)]
    np.testing.assert_allclose(change, (either[0] - either[1]) / 2e-2, atol=2e-2, rtol=2e-2)
    assert np.abs(change).max() > 0.1


def test_the_derivative_is_linear_and_of_each_row_alone():
    own, (observations, noise) = policy(), batch()
    directions = np.random.default_rng(2).standard_normal(observations.shape, np.float32)
    _, change = own.observation_jvp(observations, noise, directions)
    _, twice = own.observation_jvp(observations, noise, 2 * directions)
    np.testing.assert_allclose(twice, 2 * change, rtol=1e-4, atol=1e-5)
    still = np.where(np.arange(4)[:, None] == 2, directions, 0)
    _, one = own.observation_jvp(observations, noise, still)
    np.testing.assert_allclose(one[2], change[2], rtol=1e-4, atol=1e-5)
    assert (one[[0, 1, 3]] == 0).all()


@pytest.mark.parametrize("prefix", [False, True])
def test_a_reflex_takes_it(prefix):
    assert JacobianReflex(policy(prefix), EngineModel("catapult")).cost.evaluations == 45
