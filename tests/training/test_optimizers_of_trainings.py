"""Every training takes every optimizer, goes on to the bit with it, and says which one it was."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from chunkenv.agents import averaged_weights, registry, with_optimizer
from chunkenv.agents.common.optim.splus import SPlusState
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.training import FlowTraining, HeadTraining, ModelTraining, OfflineOnlineTraining
from chunkenv.training.loop import load_state, save_state
from tests.agents import two_modes
from tests.training import test_correction, test_model_training
from tests.training.test_offline_online import SMALL, config, data

LEVEL = {"level": "toy"}


def flow(folder, *optimizer):
    settings = with_optimizer(two_modes.settings(), *optimizer)
    return FlowTraining(two_modes.TwoModes(), settings, 0, LEVEL)


def head(folder, *optimizer):
    settings = with_optimizer(test_correction.settings(), *optimizer)
    return HeadTraining(test_correction.ticks(), settings, 0, test_correction.FACTS)


def model(folder, *optimizer):
    return ModelTraining(
        test_model_training.LinearTicks(), with_optimizer(test_model_training.SETTINGS, *optimizer), 0, LEVEL
    )


def agent(folder, *optimizer):
    settings = with_optimizer(registry.settings_for("qc-fql", chunk=3, delay=1, **SMALL), *optimizer)
    about = config(offline_steps=200, online_steps=0)
    return OfflineOnlineTraining(about, "qc-fql", settings, data(folder), 0)


def expert(folder, *optimizer):
    pytest.importorskip("numba")
    from chunkenv.training import PPOTraining
    from tests.training.test_on_policy import TINY

    return PPOTraining("catapult", with_optimizer(replace(TINY, steps=16_000), *optimizer), 0)


TRAININGS = (flow, head, model, agent, expert)


def splus_states(training):
    """Those that a training holds, wherever."""
    held = [value for value in vars(training).values() if not isinstance(value, np.ndarray)]
    nodes = jax.tree.leaves(held, is_leaf=lambda node: isinstance(node, SPlusState))
    return [node for node in nodes if isinstance(node, SPlusState)]


def equal(first, second):
    one, other = first.state()[0], second.state()[0]
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.no_cover
@pytest.mark.parametrize("make", TRAININGS)
def test_a_training_by_splus_renews_its_bases_and_goes_on_to_the_bit(make, tmp_path):
    training = make(tmp_path / "data", "splus")
    training.advance()
    save_state(training, tmp_path / "half")
    again = make(tmp_path / "again", "splus")
    load_state(again, tmp_path / "half")
    for each in (training, again):
        each.advance()
    assert equal(training, again)
    (state,) = splus_states(again)
    assert 0 < int(state.renewed) <= int(state.updates)
    with pytest.raises(ArgumentError, match="optimizer="):
        load_state(make(tmp_path / "adam", "adam"), tmp_path / "half")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adamw", "muon"])
@pytest.mark.parametrize("make", TRAININGS)
def test_every_training_takes_every_optimizer(make, name, tmp_path):
    training = make(tmp_path, name, True)
    metrics = training.advance()
    assert all(np.isfinite(value) for key, value in metrics.items() if key.endswith("loss"))


def test_a_policy_has_averaged_weights_or_the_newest():
    averaged, newest = (flow(None, "splus", each) for each in (True, False))
    for training in (averaged, newest):
        training.advance()
    assert averaged.policy().facts["optimizer"] == newest.policy().facts["optimizer"] == "splus"
    assert newest.policy().facts["averaged"] is False
    for name, weights in newest._state.weights.items():
        np.testing.assert_array_equal(newest.policy().flow.weights[name], weights)
        np.testing.assert_array_equal(averaged.policy().flow.weights[name], averaged._state.average[name])


def test_a_model_and_a_head_have_averaged_weights(tmp_path):
    for make, result in ((model, lambda each: each.model()), (head, lambda each: each.head())):
        training = make(tmp_path, "adam", True)
        training.advance()
        wanted = averaged_weights(training._state.opt_state, training._state.layers)
        found = result(training).layers
        np.testing.assert_array_equal(found[0]["kernel"], wanted[0]["kernel"])
        assert (np.asarray(found[0]["kernel"]) != training._state.layers[0]["kernel"]).any()


def test_an_agent_acts_with_averaged_weights_and_learns_from_the_newest(tmp_path):
    learned = agent(tmp_path, "adam", True)
    learned.advance()
    chosen = learned.agent
    acting = chosen.acting()
    plain = replace(acting, settings=replace(chosen.settings, averaged=False))
    newest = replace(chosen, settings=plain.settings)
    seen, nothing = np.full(2, 0.5, np.float32), np.zeros((0, 1), np.float32)
    request = Request(0, nothing, 0, 1, 3, nothing)
    first, same, other = (
        ChunkPolicy(each).infer(seen, request._replace(rng=np.random.default_rng(0)))
        for each in (chosen, plain, newest)
    )
    np.testing.assert_allclose(first, same, atol=1e-6)
    assert np.abs(first - other).max() > 1e-4
    assert acting.target is chosen.target
    assert acting.opt_state is chosen.opt_state
    assert plain.acting() is plain


def test_an_experts_checkpoint_is_averaged_and_the_newest_one_explores():
    training = expert(None, "adam", True)
    training.advance()
    newest = training._expert_of(training.agent.params)
    assert (training.expert.layers[0][0] != newest.layers[0][0]).any()
