from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.rlpd import ACTIVATION, RLPD, RLPDSettings, log_density
from tests.agents import chain
from tests.agents.test_qc import DELAYED, LATE, ONE_STEP, UNDELAYED


def error(horizons, **given) -> float:
    """What the critic is off by on average; the actor is driven to hardly any entropy, so that it does what is best."""
    quick = dict(hidden=(64, 64), learning_rate=3e-3, polyak=0.05, batch=64, critics=2, entropy=-3.0, temperature=0.01)
    settings = RLPDSettings(**{**quick, **given}, horizons=horizons)
    agent = chain.learn(RLPD.create(0, chain.STATES + 1, 1, settings), [chain.experience(5000)], 1500)
    observations, rows, truth = chain.places(chain.chunk_values(horizons))
    found = np.asarray(critic_values(agent.params["critics"], observations, rows, ACTIVATION).mean(axis=0))
    return float(np.abs(found - truth).mean())


def test_the_critic_finds_the_true_chunk_values_under_delay():
    assert error(DELAYED) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize("horizons", [UNDELAYED, ONE_STEP, LATE], ids=str)
def test_the_critic_finds_the_true_chunk_values(horizons):
    assert error(horizons) < 0.07


@pytest.mark.slow
def test_a_little_imitation_changes_little():
    assert error(UNDELAYED, imitation=0.001) < 0.1


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (0.7, 0.3)])
def test_the_density_of_squashed_actions_is_one(mean, spread):
    grid = np.linspace(-0.9999, 0.9999, 401)
    before = jnp.arctanh(jnp.asarray(grid))[:, None, None]
    density = np.exp(log_density(before, jnp.full((1, 1, 1), mean), jnp.full((1, 1, 1), spread)))[:, 0]
    assert integrate.trapezoid(density, grid) == pytest.approx(1.0, abs=0.01)


def test_the_density_stays_finite_where_tanh_is_one():
    assert np.isfinite(log_density(jnp.full((1, 1), 50.0), jnp.zeros((1, 1)), jnp.ones((1, 1)))).all()
