"""Which loss reaches which weights: the wall between the flow and the backbone holds to the last bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.vla import ARMS, VLASettings
from chunkenv.agents.vla.insulation import begin, loss, updates
from chunkenv.agents.vla.vla_flow import initial_vla
from chunkenv.errors import ArgumentError
from tests.agents.vla.toy import NETWORK, PLAIN, SEES, SHALLOW, SIZES, Errands, perturbed, settings


@pytest.fixture(scope="module")
def weights():
    return perturbed(initial_vla(0, NETWORK, SEES))


@pytest.fixture(scope="module")
def batch():
    return jax.tree.map(jnp.asarray, Errands(image=8).sample(np.random.default_rng(0), 8))


@pytest.fixture(scope="module")
def slopes(weights, batch):
    """The gradients of an arm's losses by their names; of the arms that were asked for before they are kept."""
    found = {}

    def slope(arm, part):
        if arm not in found:
            chosen = settings(network=NETWORK, arm=arm, max_prefix=2, question_weight=float(arm == "insulated"))
            key = jax.random.key(0)
            one = jax.jacrev(lambda weights: loss(weights, chosen, SEES, PLAIN, batch, key)[1])
            found[arm] = jax.device_get(jax.jit(one)(weights))
        return found[arm][part]

    return slope


def names(tree):
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def test_the_flow_has_a_gradient_of_exactly_zero_in_every_weight_of_an_insulated_backbone(slopes):
    slope = slopes("insulated", "flow_loss")
    assert len(names(slope["backbone"])) > 30
    for name, leaf in names(slope["backbone"]).items():
        assert np.array_equal(leaf, np.zeros_like(leaf)), name


def test_without_insulation_the_flow_reaches_what_the_keys_and_values_of_every_layer_come_from(slopes):
    backbone = slopes("joint", "flow_loss")["backbone"]
    for layer in backbone["layers"]:
        for name in ("key", "value"):
            assert np.abs(layer["attention"][name]["kernel"]).max() > 0
    for name in ("patch", "state"):
        assert np.abs(backbone[name]["kernel"]).max() > 0
    assert np.abs(backbone["embed"]).max() > 0


def test_insulation_leaves_the_flows_gradient_in_the_expert_as_it_is(slopes):
    walled, open_ = (slopes(arm, "flow_loss")["expert"] for arm in ("insulated", "joint"))
    for name, leaf in names(walled).items():
        np.testing.assert_allclose(leaf, names(open_)[name], rtol=1e-4, atol=1e-7, err_msg=name)
        if "['attention']['key']['bias']" not in name:  # the same for all keys: it cancels in the softmax
            assert np.abs(leaf).max() > 0, name


def test_the_tokens_have_a_gradient_in_every_weight_of_the_backbone_and_none_in_the_expert(slopes):
    slope = slopes("insulated", "token_loss")
    for name, leaf in names(slope["backbone"]).items():
        if "['attention']['key']['bias']" not in name:
            assert np.abs(leaf).max() > 0, name
    assert not any(leaf.any() for leaf in names(slope["expert"]).values())


def test_answers_train_the_backbone_only(slopes):
    slope = slopes("insulated", "question_loss")
    assert np.abs(slope["backbone"]["patch"]["kernel"]).max() > 0
    assert not any(leaf.any() for leaf in names(slope["expert"]).values())


def test_an_update_by_tokens_leaves_the_expert_as_it_is_weight_decay_or_not():
    """That a frozen backbone stays as it is stands in tests/training/test_vla_training.py."""
    chosen, weights = settings(arm="tokens", warm_up=1, updates=10), perturbed(initial_vla(0, SHALLOW, SIZES))
    many = jax.tree.map(lambda leaf: leaf[:, None], Errands().sample(np.random.default_rng(0), 2))
    after, losses = updates(chosen, SIZES, begin(weights, chosen), PLAIN, 0, many)
    assert {*losses} == {"token_loss"}
    changed = jax.tree.map(lambda one, other: not np.array_equal(one, other), weights, dict(after.weights))
    assert not any(jax.tree.leaves(changed["expert"]))
    assert changed["backbone"]["embed"]


def test_what_insulation_is_told_by_the_name_of_the_arm():
    told = {arm: settings(arm=arm).insulates for arm in ARMS}
    assert told == {arm: arm in ("insulated", "frozen") for arm in ARMS}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": "insulated", "token_weight": 0.0}, "token_weight=0 with arm='insulated' leaves nothing that trains"),
        ({"arm": "tokens", "token_weight": 0.0}, "token_weight=0 with arm='tokens'"),
        ({"arm": "joint-tokens", "token_weight": 0.0}, "is arm='joint'"),
        ({"arm": "frozen", "question_weight": 1.0}, "would train the backbone that arm='frozen' keeps"),
        ({"arm": "walled"}, "arm='walled' is unknown"),
        ({"left_out": 2.0}, "left_out=2.0"),
    ],
)
def test_one_sentence_for_what_is_invalid(changes, said):
    with pytest.raises(ArgumentError) as error:
        VLASettings(**changes)
    assert said in str(error.value)
