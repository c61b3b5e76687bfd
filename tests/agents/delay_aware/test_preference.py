"""DEFLECT's objective against formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.agents import flow_matching
from chunkenv.agents.delay_aware.preference import DeflectSettings, Preference, preference_loss
from chunkenv.agents.nets.mixer import ChunkSizes, initial_weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.errors import ArgumentError
from tests.agents.two_modes import SMALL, TwoModes

IMITATION = jax.jit(jax.value_and_grad(flow_matching.loss), static_argnums=6)


def arrays(seed, count=5):
    rng = np.random.default_rng(seed)
    change, fresh, stale = rng.standard_normal((3, count, 4, 2)).astype(np.float32)
    counted = (rng.random((count, 4)) < 0.7).astype(np.float32)
    return change, fresh, stale, counted


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), st.floats(0.1, 3.0))
def test_its_slope_is_the_difference_of_the_chunks_times_the_doubt(seed, beta):
    change, fresh, stale, counted = arrays(seed)
    better, rows = fresh - stale, counted[..., None]
    found = jax.grad(preference_loss)(change, better, counted, beta)
    margin = 2 * (change * better * rows).sum(axis=(1, 2))
    doubt = 1 / (1 + np.exp(beta * margin))
    share = max(int((counted.sum(axis=1) > 0).sum()), 1)
    expected = -2 * beta * doubt[:, None, None] * better * rows / share
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_margin_is_that_of_four_squared_errors_whatever_the_noise():
    velocity, fresh, stale, counted = arrays(1)
    frozen, noise = np.random.default_rng(2).standard_normal((2, *fresh.shape)).astype(np.float32)

    def error(found, chunk):
        return (((found - (chunk - noise)) ** 2) * counted[..., None]).sum(axis=(1, 2))

    margin = error(velocity, stale) - error(velocity, fresh) - (error(frozen, stale) - error(frozen, fresh))
    expected = np.log1p(np.exp(-0.5 * margin)).mean()
    found = preference_loss(velocity - frozen, fresh - stale, counted, 0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


class Seeing:
    """A frozen policy whose chunks are its noise plus what it sees."""

    steps = 1

    def velocity(self, observations, chunks, time):
        return jnp.broadcast_to(observations[:, None, :1], chunks.shape)


def test_fresh_and_stale_differ_by_what_was_seen_between_and_not_by_noise():
    objective = Preference(Seeing(), 3, 0.02, 1.0)
    observations = np.arange(8, dtype=np.float32).reshape(2, 4, 1) ** 2
    lengths = jnp.array([2, 0])
    fresh, stale = objective._chunks(jnp.asarray(observations), lengths, jax.random.key(0), (2, 5, 2))
    np.testing.assert_allclose((fresh - stale)[0, 2:], 4.0, atol=1e-5)  # two ticks later it sees 4, not 0
    np.testing.assert_allclose((fresh - stale)[1], 0.0, atol=1e-5)


def small(preference):
    sizes = ChunkSizes(3, 4, 2, prefix=True)
    weights = {name: value + 0.1 for name, value in initial_weights(SMALL, sizes, 0).items()}
    flow = PreconditionedFlow(weights, np.zeros(3), np.ones(3), SMALL, sizes, 5, 0.5)
    observations, actions, mask = TwoModes(masked=0.5).sample(np.random.default_rng(0), 32)
    later = np.stack([observations, observations + 1, observations + 2], axis=1)
    objective = Preference(flow, 2, preference, 1.0)
    key = jax.random.key(0)
    found = jax.jit(jax.value_and_grad(objective.loss))(weights, flow, key, 0.0, later, actions, mask)
    return found, IMITATION(weights, flow, observations, actions, mask, key, 2)


def test_without_a_preference_it_is_imitation_to_the_bit():
    jax.tree.map(np.testing.assert_array_equal, *small(0.0))


def test_at_the_beginning_nothing_is_preferred_yet_but_the_slope_is_there():
    """The tuned velocity is the frozen one: every margin is 0, its loss log 2."""
    (found, slope), (plain, plain_slope) = small(0.5)
    assert float(found) == pytest.approx(float(plain) + 0.5 * np.log(2), rel=1e-5)
    assert any((np.asarray(slope[name]) != np.asarray(plain_slope[name])).any() for name in slope)


@pytest.mark.parametrize("wrong", [{"preference": -1.0}, {"beta": -1.0}, {"max_prefix": 0}, {"soft_rows": 1}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        DeflectSettings(**wrong)
