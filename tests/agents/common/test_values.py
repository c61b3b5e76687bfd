"""What each error makes of outcomes that differ: found by going down its gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.common.values import (
    cross_entropy_errors,
    expectile_cross_entropy_errors,
    expectile_errors,
    quantile_errors,
)

OUTCOMES = jnp.array([0.1, 0.2, 0.2, 0.7, 0.9])


def least(error, start=0.0, rate=0.2, steps=2000):
    slope = jax.jit(jax.grad(lambda value: error(value).mean()))
    value = start
    for _ in range(steps):
        value = value - rate * slope(value)
    return float(value)


def expectile(share):
    """Where the weighted distances above and below are equal."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        missing = np.asarray(OUTCOMES) - middle
        low, high = (middle, high) if (np.where(missing > 0, share, 1 - share) * missing).sum() > 0 else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_squares_lead_to_the_expectile(share):
    found = least(lambda value: expectile_errors(OUTCOMES - value, share))
    assert found == pytest.approx(expectile(share), abs=1e-4)


def test_absolute_values_lead_to_the_quantile():
    found = least(lambda value: quantile_errors(OUTCOMES - value, 0.7), rate=3e-3, steps=4000)
    assert found == pytest.approx(0.7, abs=5e-3)


def test_the_cross_entropy_leads_to_the_mean_probability_and_leaning_to_its_expectile():
    mean = least(lambda logit: cross_entropy_errors(logit, OUTCOMES), rate=2.0)
    assert float(jax.nn.sigmoid(mean)) == pytest.approx(float(OUTCOMES.mean()), abs=1e-4)
    leaning = least(lambda logit: expectile_cross_entropy_errors(logit, OUTCOMES, 0.9), rate=2.0)
    assert float(jax.nn.sigmoid(leaning)) == pytest.approx(expectile(0.9), abs=1e-4)


def test_the_cross_entropy_is_that_of_the_definition_also_where_logits_are_large():
    logits, targets = jnp.array([-2.0, 0.3, 200.0, -200.0]), jnp.array([0.4, 1.0, 1.0, 0.0])
    found = cross_entropy_errors(logits, targets)
    chance = jax.nn.sigmoid(logits[:2])
    by_hand = -(targets[:2] * jnp.log(chance) + (1 - targets[:2]) * jnp.log(1 - chance))
    np.testing.assert_allclose(found[:2], by_hand, rtol=1e-5)
    np.testing.assert_allclose(found[2:], 0.0, atol=1e-6)
