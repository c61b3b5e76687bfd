from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chunkenv.agents import averaged_weights, renew_bases, splus
from chunkenv.agents.common.optim import scale_by_splus
from chunkenv.agents.common.optim import splus as module
from chunkenv.errors import ArgumentError
from tests.fixtures import __file__ as fixtures

RECORDED = Path(fixtures).with_name("splus.npz")
NAMES = ("bias", "square", "wide")


def gradients(count=3, shape=(3, 5), seed=0):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)


def descend(optimizer, weights, steps, renew=renew_bases):
    """The updates of each step, the weights after the last, and the state."""
    state, changes, update = optimizer.init(weights), [], jax.jit(optimizer.update)
    for gradient in steps:
        change, state = update(gradient, state, weights)
        weights, state = optax.apply_updates(weights, change), renew(state)
        changes.append(change)
    return changes, weights, state


def test_it_is_pytorch_optimizer_over_200_updates():
    """Recorded by tests/fixtures/make_splus_fixture.py."""
    with np.load(RECORDED) as file:
        recorded = dict(file)
    weights = {name: jnp.asarray(recorded[f"{name}/0"]) for name in NAMES}
    optimizer = splus(0.1, weight_decay=0.0)
    state, update = optimizer.init(weights), jax.jit(optimizer.update)
    compared = 0
    for step in range(200):
        gradient = {name: recorded[f"{name}/gradients"][step] for name in NAMES}
        change, state = update(gradient, state, weights)
        weights, state = optax.apply_updates(weights, change), renew_bases(state)
        for name in NAMES:
            if f"{name}/{step + 1}" in recorded:
                np.testing.assert_allclose(weights[name], recorded[f"{name}/{step + 1}"], rtol=1e-5, atol=1e-5)
                compared += 1
    average = averaged_weights(state, weights)
    for name in NAMES:
        np.testing.assert_allclose(average[name], recorded[f"{name}/average"], rtol=1e-5, atol=1e-5)
    assert compared == 18


@pytest.mark.parametrize("shape", [(3, 5), (6, 2), (1, 4), (2, 3, 5)])
def test_the_norm_of_a_direction_is_that_of_its_signs_and_bases_are_orthogonal(shape):
    changes, _, state = descend(scale_by_splus(), jnp.zeros(shape), gradients(4, shape))
    for change in changes:
        norms = np.linalg.norm(np.asarray(change).reshape(-1, *shape[-2:]), axis=(1, 2))
        np.testing.assert_allclose(norms, np.sqrt(np.prod(shape[-2:])), rtol=1e-5)
    for basis in state.spaces[0].bases:
        assert basis.shape[-1] == 1 or not np.allclose(basis, np.eye(basis.shape[-1]))
        assert basis @ basis.mT == pytest.approx(np.broadcast_to(np.eye(basis.shape[-1]), basis.shape), abs=1e-5)


def test_the_scale_of_gradients_makes_no_difference():
    steps, weights = gradients(5), jnp.ones((3, 5))
    ones, others = (descend(splus(0.1), weights, scale * steps)[1] for scale in (1.0, 2.0**-10))
    np.testing.assert_allclose(ones, others, atol=1e-6)


def test_a_rotation_of_gradients_rotates_the_direction():
    """That is what a step in the eigenbasis means; a step by signs alone changes."""
    steps = gradients(4, (3, 3))
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0].astype(np.float32)
    straight, turned = (descend(scale_by_splus(0.0), jnp.zeros((3, 3)), each)[0][-1] for each in (steps, turn @ steps))
    np.testing.assert_allclose(turn @ straight, turned, atol=1e-4)


def test_a_first_step_by_hand():
    weights = {"kernel": jnp.full((2, 3), 2.0), "bias": jnp.full(3, 2.0)}
    change = descend(splus(0.1, weight_decay=0.5), weights, [jax.tree.map(lambda x: -x, weights)])[0][0]
    np.testing.assert_allclose(change["kernel"], -0.1 * 2 / 5 * (-1 + 0.5 * 2), atol=1e-7)
    np.testing.assert_allclose(change["bias"], -0.1 * 1e-3 * (-1 + 0.5 * 2), atol=1e-7)
    change = descend(splus(0.1, weight_decay=0.0), weights, [weights])[0][0]
    np.testing.assert_allclose(change["kernel"], -0.04, rtol=1e-6)
    np.testing.assert_allclose(change["bias"], -1e-4, rtol=1e-6)


def test_each_member_of_an_ensemble_is_a_matrix_of_its_own():
    steps = gradients(3, (2, 3, 5))
    both = descend(splus(0.1), {"kernel": jnp.ones((2, 3, 5))}, [{"kernel": step} for step in steps])[1]["kernel"]
    for member in range(2):
        alone = descend(splus(0.1), {"kernel": jnp.ones((3, 5))}, [{"kernel": step[member]} for step in steps])[1]
        np.testing.assert_allclose(both[member], alone["kernel"], atol=1e-6)


def test_the_biases_of_an_ensemble_take_signs():
    change = descend(splus(0.1), {"bias": jnp.zeros((2, 5))}, [{"bias": gradients()[0, :2]}])[0][0]["bias"]
    np.testing.assert_allclose(np.abs(change), 1e-4, rtol=1e-5)


def test_a_side_that_is_too_long_is_not_rotated(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_SIDE", 4)
    changes, _, state = descend(splus(0.1, averaging=0.0), jnp.zeros((3, 5)), gradients(3))
    assert [basis is None for basis in state[0].spaces[0].bases] == [False, True]
    assert np.linalg.norm(changes[-1]) == pytest.approx(0.1 * 1e-3 * np.sqrt(15), rel=0.05)


def test_bases_are_renewed_after_the_first_update_and_once_in_a_hundred():
    renewed = []

    def watch(state):
        after = renew_bases(state)
        if after.renewed != state.renewed:
            renewed.append(int(after.updates))
        return after

    descend(scale_by_splus(), jnp.zeros((2, 2)), gradients(205, (2, 2)), watch)
    assert renewed == [1, 100, 200]


def test_bases_are_found_wherever_they_are_and_other_states_are_left_alone():
    weights = {"kernel": jnp.zeros((2, 3))}
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), splus(0.1))
    _, state = optimizer.update({"kernel": jnp.asarray(gradients(1, (2, 3))[0])}, optimizer.init(weights), weights)
    held = {"state": state, "name": jnp.int32(3)}
    assert int(renew_bases(held)["state"][1][0].renewed) == 1
    adam = optax.adam(0.1).init(weights)
    assert jax.tree.all(jax.tree.map(lambda one, other: one is other, adam, renew_bases(adam)))


def test_a_schedule_decides_the_step():
    optimizer = splus(lambda count: 0.1 * count, weight_decay=0.0)
    changes = descend(optimizer, jnp.zeros((2, 2)), gradients(3, (2, 2)))[0]
    sizes = [float(np.linalg.norm(change)) for change in changes]
    np.testing.assert_allclose(sizes, [0.0, 0.1, 0.2], atol=1e-4)


def test_gradients_that_are_not_finite_are_told():
    with pytest.raises(ArgumentError, match="not finite within 1 updates; give a lower learning rate"):
        descend(splus(0.1), jnp.zeros((2, 2)), [jnp.full((2, 2), jnp.nan)])


@pytest.mark.parametrize("wrong", [{"momentum": 1.5}, {"memory": -1}, {"weight_decay": np.nan}, {"averaging": 1.0}])
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(ArgumentError, match=str(next(iter(wrong.values())))):
        splus(0.1, **wrong)
