import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.agents import ppo
from chunkenv.agents.ppo import DEFAULT_SETTINGS, LEVEL_SETTINGS, PPOSettings, ppo_settings
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS


def estimates(values, next_values, rewards, terminated, ended, discount, trace):
    """The same, from its definition: the sum of discounted errors up to the end of the episode."""
    errors = rewards + discount * (1 - terminated) * next_values - values
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
    values, next_values, rewards = rng.standard_normal((3, 6, 4)).astype(np.float32)
    ended = rng.random((6, 4)) < 0.3
    terminated = ended & (rng.random((6, 4)) < 0.5)
    rollout = ppo.PPORollout(
        *[np.zeros(1)] * 3, rewards, terminated.astype(np.float32), ended.astype(np.float32), ended
    )
    settings = PPOSettings(discount=0.9, trace=0.8)
    found = jax.jit(ppo.advantages, static_argnums=3)(values, next_values, rollout, settings)
    np.testing.assert_allclose(found, estimates(values, next_values, rewards, terminated, ended, 0.9, 0.8), atol=1e-5)


def test_a_time_limit_is_no_end_of_the_task():
    one, zero = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    settings = PPOSettings(discount=0.5)
    cut = ppo.PPORollout(*[np.zeros(1)] * 3, one, zero, one, zero)
    assert ppo.advantages(zero, 4 * one, cut, settings) == 1 + 0.5 * 4
    assert ppo.advantages(zero, 4 * one, cut._replace(terminated=one), settings) == 1


def test_log_probabilities_are_the_gaussian_ones_up_to_a_constant():
    network = ppo.Network(3, (0, 4), PPOSettings(hidden=(8,), initial_std=0.5), nnx.Rngs(0))
    actions = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    found = network.log_probability(jnp.zeros((5, 2)), actions)
    expected = jax.scipy.stats.norm.logpdf(actions, 0, 0.5).sum(axis=1)
    assert np.ptp(np.asarray(found - expected)) < 1e-5


def test_the_shift_of_robust_policy_optimisation_comes_from_the_key():
    network = ppo.Network(35, (0,), PPOSettings(hidden=(8,)), nnx.Rngs(0))
    batch = ppo.Minibatch(jnp.ones((6, 35)), jnp.zeros((6, 1)), *[jnp.arange(6.0)] * 3, jnp.ones((6, 35)))

    def loss(rpo, key):
        return float(ppo.actor_loss(network, batch, jax.random.key(key), jnp.float32(0), PPOSettings(rpo=rpo))[0])

    assert loss(0.0, 1) == loss(0.0, 2)
    assert loss(0.3, 1) == loss(0.3, 1) != loss(0.3, 2)


def test_changing_the_action_has_a_price_that_grows_with_progress():
    network = ppo.Network(35, (0,), PPOSettings(hidden=(8,)), nnx.Rngs(0))

    def loss(later, progress, smoothness=0.5):
        batch = ppo.Minibatch(jnp.ones((6, 35)), jnp.zeros((6, 1)), *[jnp.arange(6.0)] * 3, later * jnp.ones((6, 35)))
        settings = PPOSettings(entropy=0.0, smoothness=smoothness)
        return float(ppo.actor_loss(network, batch, jax.random.key(0), jnp.float32(progress), settings)[0])

    still = loss(1.0, 1.0)
    assert still == loss(1.0, 0.0) == loss(-1.0, 0.0) == loss(-1.0, 1.0, smoothness=0.0)
    change = np.square(network.mean(-jnp.ones((1, 35))) - network.mean(jnp.ones((1, 35)))).sum()
    np.testing.assert_allclose(loss(-1.0, 1.0) - still, 0.5 * change, rtol=1e-3)
    assert still < loss(-1.0, 0.5) < loss(-1.0, 1.0)


def test_the_spread_never_falls_below_the_least():
    network = ppo.Network(3, (0, 4), PPOSettings(hidden=(8,), initial_std=0.5, least_std=0.3), nnx.Rngs(0))
    network.log_std[...] = jnp.log(jnp.array([0.4, 0.1]))
    np.testing.assert_allclose(jnp.exp(network.bounded_log_std), [0.4, 0.3], rtol=1e-6)
    actions = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    found = network.log_probability(jnp.zeros((5, 2)), actions)
    expected = jax.scipy.stats.norm.logpdf(actions, 0, np.array([0.4, 0.3])).sum(axis=1)
    assert np.ptp(np.asarray(found - expected)) < 1e-5


def test_experts_of_the_published_recipe_keep_exploring():
    smaller = {"cartpole_thrust": 0.1, "catapult": 0.15, "car_launch": 0.15}
    for level in LEVELS:
        smooth, published = ppo_settings(level), ppo_settings(level, "published")
        assert (smooth.smoothness, smooth.least_std, smooth.rpo) == (0.5, 0.0, 0.0)
        assert (published.smoothness, published.rpo) == (0.5 if level == "car_launch" else 0.1, 0.0)
        assert published.least_std == smaller.get(level, 0.3)
    with pytest.raises(ArgumentError, match="did you mean 'published'"):
        ppo_settings("catapult", "publish")


def test_settings_belong_to_levels():
    assert set(LEVEL_SETTINGS) <= set(LEVELS)
    assert ppo_settings("somewhere else") == DEFAULT_SETTINGS
    assert ppo_settings("cartpole_thrust") == LEVEL_SETTINGS["cartpole_thrust"]


def test_a_training_takes_no_more_steps_than_it_was_given():
    settings = PPOSettings(steps=1000, envs=10, rollout=16, minibatches=4, evaluation_steps=400)
    assert (settings.batch, settings.updates, settings.evaluation_updates) == (160, 6, 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"envs": 0}, "envs=0 is too small"),
        ({"steps": 100}, "steps=100 are less than one rollout; give at least 16384"),
        ({"minibatches": 7}, "minibatches=7 do not divide the 16384 ticks of a rollout"),
        ({"discount": 1.5}, "discount=1.5 is not a finite number from 0 to 1"),
        ({"persistence": -0.1}, "persistence=-0.1 is not a finite number from 0 to 1"),
        ({"reward": "dense"}, "reward='dense' is unknown; choose one of 'sparse', 'distance', 'penalty'"),
        ({"hidden": (64, 0)}, "each of hidden=0 is too small"),
        ({"hidden": [64]}, r"hidden=\[64\] is not a tuple of sizes"),
        ({"entropy": float("nan")}, "entropy=nan is not a finite number"),
        ({"initial_std": 0}, "initial_std=0 is not a finite number"),
        ({"least_std": -0.1}, "least_std=-0.1 is not a finite number"),
    ],
)
def test_invalid_settings_are_refused(change, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        PPOSettings(**change)
