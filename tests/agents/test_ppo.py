import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.agents import ppo
from chunkenv.agents.ppo_settings import Settings


def estimates(values, following, rewards, terminated, ended, discount, trace):
    """The same, from its definition: the sum of discounted errors up to the end of the episode."""
    errors = rewards + discount * (1 - terminated) * following - values
    found = np.zeros_like(errors)
    for n in range(errors.shape[1]):
        for t in range(len(errors)):
            weight = 1.0
            for later in range(t, len(errors)):
                found[t, n] += weight * errors[later, n]
                weight *= discount * trace
                if ended[later, n]:
                    break
    return found


@given(st.integers(0, 10_000))
@hypothesis.settings(deadline=None, max_examples=30)
def test_advantages_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    values, following, rewards = rng.standard_normal((3, 6, 4)).astype(np.float32)
    ended = rng.random((6, 4)) < 0.3
    terminated = ended & (rng.random((6, 4)) < 0.5)
    rollout = ppo.Rollout(*[np.zeros(1)] * 3, rewards, terminated.astype(np.float32), ended.astype(np.float32), ended)
    settings = Settings(discount=0.9, trace=0.8)
    found = jax.jit(ppo.advantages, static_argnums=3)(values, following, rollout, settings)
    np.testing.assert_allclose(found, estimates(values, following, rewards, terminated, ended, 0.9, 0.8), atol=1e-5)


def test_a_time_limit_is_no_end_of_the_task():
    one, zero = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    settings = Settings(discount=0.5)
    cut = ppo.Rollout(*[np.zeros(1)] * 3, one, zero, one, zero)
    assert ppo.advantages(zero, 4 * one, cut, settings) == 1 + 0.5 * 4
    assert ppo.advantages(zero, 4 * one, cut._replace(terminated=one), settings) == 1


def test_log_probabilities_are_the_gaussian_ones_up_to_a_constant():
    network = ppo.Network(3, (0, 4), Settings(hidden=(8,), initial_std=0.5), nnx.Rngs(0))
    actions = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    found = network.log_probability(jnp.zeros((5, 2)), actions)
    expected = jax.scipy.stats.norm.logpdf(actions, 0, 0.5).sum(axis=1)
    assert np.ptp(np.asarray(found - expected)) < 1e-5


def test_the_shift_of_robust_policy_optimisation_comes_from_the_key():
    network = ppo.Network(35, (0,), Settings(hidden=(8,)), nnx.Rngs(0))
    batch = ppo.Batch(jnp.ones((6, 35)), jnp.zeros((6, 1)), *[jnp.arange(6.0)] * 3, jnp.ones((6, 35)))

    def loss(rpo, key):
        return float(ppo.actor_loss(network, batch, jax.random.key(key), jnp.float32(0), Settings(rpo=rpo))[0])

    assert loss(0.0, 1) == loss(0.0, 2)
    assert loss(0.3, 1) == loss(0.3, 1) != loss(0.3, 2)


def test_changing_the_action_has_a_price_that_grows_with_progress():
    network = ppo.Network(35, (0,), Settings(hidden=(8,)), nnx.Rngs(0))

    def loss(following, progress, smoothness=0.5):
        batch = ppo.Batch(jnp.ones((6, 35)), jnp.zeros((6, 1)), *[jnp.arange(6.0)] * 3, following * jnp.ones((6, 35)))
        settings = Settings(entropy=0.0, smoothness=smoothness)
        return float(ppo.actor_loss(network, batch, jax.random.key(0), jnp.float32(progress), settings)[0])

    still = loss(1.0, 1.0)
    assert still == loss(1.0, 0.0) == loss(-1.0, 0.0) == loss(-1.0, 1.0, smoothness=0.0)
    change = np.square(network.mean(-jnp.ones((1, 35))) - network.mean(jnp.ones((1, 35)))).sum()
    np.testing.assert_allclose(loss(-1.0, 1.0) - still, 0.5 * change, rtol=1e-3)
    assert still < loss(-1.0, 0.5) < loss(-1.0, 1.0)
