from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.nets import mlp


def test_parts_are_joined_as_if_they_were_one_input():
    layers = mlp.initial(jax.random.key(0), (5, 8, 3), norm=True)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    whole, parts = mlp.apply(layers, jnp.asarray(x)), mlp.apply(layers, x[:, :2], x[:, 2:2], x[:, 2:])
    np.testing.assert_allclose(whole, parts, atol=1e-6)


def test_a_shared_part_is_broadcast():
    layers = mlp.initial(jax.random.key(0), (3, 8, 1))
    shared, own = jnp.ones((2, 1, 2)), jnp.arange(8.0).reshape(2, 4, 1)
    spread = jnp.concatenate([jnp.ones((2, 4, 2)), own], axis=-1)
    np.testing.assert_allclose(mlp.apply(layers, shared, own), mlp.apply(layers, spread), atol=1e-6)


def test_members_of_an_ensemble_are_networks_of_their_own():
    layers = mlp.initial_ensemble(jax.random.key(0), 3, (2, 8, 1), norm=True)
    x = jnp.ones((4, 2))
    found = mlp.apply_ensemble(layers, x)
    assert found.shape == (3, 4)
    assert len(set(np.asarray(found[:, 0]).tolist())) == 3
    second = jax.tree.map(lambda leaf: leaf[1], layers)
    np.testing.assert_allclose(found[1], mlp.apply(second, x)[:, 0], atol=1e-6)


def test_a_layer_norm_makes_the_size_of_what_comes_in_matter_little():
    layers = mlp.initial(jax.random.key(0), (2, 32, 32, 1), norm=True)
    far = mlp.apply(layers, jnp.array([[1e4, -1e4]]))
    assert abs(float(far[0, 0])) < 10


def test_inputs_that_are_fixed_before_change_nothing():
    layers = mlp.initial(jax.random.key(0), (5, 8, 3), norm=True)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    fixed = mlp.fix_inputs(layers, x[:, :2], x[:, 2:2])
    np.testing.assert_allclose(mlp.apply(fixed, x[:, 2:]), mlp.apply(layers, x), atol=1e-6)
