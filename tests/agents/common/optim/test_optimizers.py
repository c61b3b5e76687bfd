from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chunkenv.agents import HeadSettings, ModelSettings, PPOSettings, make_optimizer, settings_for, with_optimizer
from chunkenv.agents.common.optim import optimizer_facts, settings_facts
from chunkenv.agents.flow_matching import FlowSettings
from chunkenv.errors import ArgumentError

RNG = np.random.default_rng(0)
WEIGHTS = {
    name: jnp.asarray(RNG.standard_normal(shape), jnp.float32)
    for name, shape in (("kernel", (4, 6)), ("bias", (6,)), ("critics_kernel", (2, 4, 6)), ("critics_bias", (2, 6)))
}
GRADIENTS = jax.tree.map(lambda weight: jnp.asarray(RNG.standard_normal(weight.shape), jnp.float32), WEIGHTS)
ALL = (FlowSettings, HeadSettings, ModelSettings, PPOSettings, partial(settings_for, "qc-fql"))


def change(optimizer):
    return jax.jit(lambda: optimizer.update(GRADIENTS, optimizer.init(WEIGHTS), WEIGHTS)[0])()


def same(first, second):
    return jax.tree.all(jax.tree.map(lambda one, other: bool((one == other).all()), first, second))


def test_adam_is_optax_adam_to_the_bit():
    assert same(change(make_optimizer("adam", 1e-3)), change(optax.adam(1e-3)))
    assert same(change(make_optimizer("adam", 1e-3, epsilon=1e-2)), change(optax.adam(1e-3, eps=1e-2)))


def test_adamw_lets_matrices_decay_and_nothing_else():
    plain, decaying = change(optax.adam(1e-3)), change(make_optimizer("adamw", 1e-3, weight_decay=0.5))
    for name, decays in (("kernel", True), ("critics_kernel", True), ("bias", False), ("critics_bias", False)):
        wanted = plain[name] - 1e-3 * 0.5 * WEIGHTS[name] * decays
        np.testing.assert_allclose(decaying[name], wanted, rtol=1e-5)


def test_muon_makes_matrices_orthogonal_member_by_member_with_steps_as_large_as_adams():
    found = change(make_optimizer("muon", 1.0, weight_decay=0.0))
    for matrix in (found["kernel"], *found["critics_kernel"]):
        singular = np.linalg.svd(matrix, compute_uv=False)
        assert singular.min() / singular.max() > 0.5
        assert np.sqrt(np.square(matrix).mean()) == pytest.approx(0.2, rel=0.3)
    assert np.abs(found["critics_bias"]).min() > 0.5


@pytest.mark.parametrize("name", ["adam", "adamw", "muon", "splus"])
def test_averaging_changes_no_step(name):
    assert same(change(make_optimizer(name, 1e-3)), change(make_optimizer(name, 1e-3, True)))


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ArgumentError, match="optimizer='sgd'"):
        make_optimizer("sgd", 1e-3)
    for make in ALL:
        with pytest.raises(ArgumentError, match="optimizer='lion'"):
            replace(make(), optimizer="lion")
        with pytest.raises(ArgumentError, match="averaged=2"):
            replace(make(), averaged=2)


@pytest.mark.parametrize("make", ALL)
def test_the_usual_optimizer_is_not_told_so_that_older_trainings_go_on(make):
    settings = make()
    assert not {"optimizer", "averaged"} & set(settings_facts(settings))
    assert with_optimizer(settings) == with_optimizer(settings, settings.optimizer) == settings
    other = with_optimizer(settings, "splus")
    assert settings_facts(other)["optimizer"] == "splus"
    assert optimizer_facts(other)["optimizer"] == "splus"


@pytest.mark.parametrize("make", ALL)
def test_each_optimizer_has_its_learning_rate(make):
    settings = make()
    splus, muon = with_optimizer(settings, "splus"), with_optimizer(settings, "muon")
    assert (splus.learning_rate, splus.averaged) == (0.1, True)
    assert (muon.learning_rate, muon.averaged) == (settings.learning_rate, settings.averaged)
    given = with_optimizer(settings, "splus", averaged=False, learning_rate=0.5)
    assert (given.learning_rate, given.averaged) == (0.5, False)


def test_the_last_learning_rate_keeps_its_share():
    settings = with_optimizer(PPOSettings(learning_rate=1e-3, last_learning_rate=1e-4), "splus")
    assert settings.last_learning_rate == pytest.approx(0.01)


def test_agents_settings_come_back_from_their_facts():
    for settings in (settings_for("qc"), with_optimizer(settings_for("qc"), "muon", averaged=True)):
        assert type(settings).from_facts(settings.facts()) == settings
