"""A linear world is learned from its ticks."""

import dataclasses

import jax
import numpy as np
import pytest

from chunkenv.agents import ModelSettings, load_learned_model
from chunkenv.agents.delay_aware.model_learning import initial_model_state, model_loss
from chunkenv.errors import ArgumentError
from chunkenv.training import ModelTraining, resume, train
from chunkenv.training.loop import load_state, save_state
from chunkenv.training.model_training import MODEL

SETTINGS = ModelSettings(hidden=(32,), updates=400, batch=128, learning_rate=1e-2)
FACTS = {"level": "toy"}


class LinearTicks:
    """x, two numbers, becomes 0.9 x + 0.5 action; a third number never moves."""

    def sample(self, rng, batch):
        seen = np.concatenate([rng.normal(size=(batch, 2)), np.full((batch, 1), 3.0)], axis=1).astype(np.float32)
        actions = rng.uniform(-1, 1, size=(batch, 2)).astype(np.float32)
        after = seen.copy()
        after[:, :2] = 0.9 * seen[:, :2] + 0.5 * actions
        return seen, actions, after


def trained(seed=0, **changes):
    training = ModelTraining(LinearTicks(), dataclasses.replace(SETTINGS, **changes), seed, FACTS)
    while not training.done:
        metrics = training.advance()
    return training, metrics


def weights_of(training):
    return [np.asarray(value) for layer in training.model().layers for value in layer.values()]


def test_it_learns_a_linear_world_and_predicts_four_ticks():
    training, metrics = trained()
    assert metrics["loss"] < 0.01  # of the changes' variance
    rng = np.random.default_rng(7)
    seen, _, _ = LinearTicks().sample(rng, 200)
    prefix = rng.uniform(-1, 1, size=(200, 4, 2)).astype(np.float32)
    expected = seen.copy()
    for tick in range(4):
        expected[:, :2] = 0.9 * expected[:, :2] + 0.5 * prefix[:, tick]
    found = training.model().predict(seen, prefix, np.full(200, 4))
    assert np.abs(found - expected)[:, :2].mean() < 0.05
    np.testing.assert_array_equal(found[:, 2], seen[:, 2])


def test_who_predicts_the_mean_change_has_a_loss_of_one():
    training = ModelTraining(LinearTicks(), SETTINGS, 0, FACTS)
    model = training.model()
    still = [{name: 0 * value for name, value in layer.items()} for layer in model.layers]
    drawn = LinearTicks().sample(np.random.default_rng(3), 20_000)
    assert float(model_loss(still, model.scales, *drawn)) == pytest.approx(1.0, abs=0.03)


def test_the_same_seed_gives_the_same_weights_and_another_others():
    one, again, other = (trained(seed, updates=100)[0] for seed in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(weights_of(one), weights_of(again), strict=True))
    assert not all((a == b).all() for a, b in zip(weights_of(one), weights_of(other), strict=True))


def test_a_training_that_goes_on_ends_the_same(tmp_path):
    whole, _ = trained(updates=200)
    first = ModelTraining(LinearTicks(), dataclasses.replace(SETTINGS, updates=200), 0, FACTS)
    first.advance()
    save_state(first, tmp_path / "state.safetensors")
    second = ModelTraining(LinearTicks(), dataclasses.replace(SETTINGS, updates=200), 0, FACTS)
    load_state(second, tmp_path / "state.safetensors")
    second.advance()
    assert all((a == b).all() for a, b in zip(weights_of(whole), weights_of(second), strict=True))


def test_it_writes_its_model_and_goes_on_from_its_folder_only(tmp_path):
    settings = dataclasses.replace(SETTINGS, updates=100)
    for _ in train(ModelTraining(LinearTicks(), settings, 0, FACTS), tmp_path):
        pass
    model = load_learned_model(tmp_path / MODEL)
    assert (model.level, model.facts["updates"], model.facts["seed"]) == ("toy", 100, 0)
    assert resume(ModelTraining(LinearTicks(), settings, 0, FACTS), tmp_path).done
    with pytest.raises(ArgumentError, match="was begun with seed=0, not 1"):
        resume(ModelTraining(LinearTicks(), settings, 1, FACTS), tmp_path)


def test_the_packages_size_fits_forty_kilobytes_at_8_bits():
    """The largest compact observation of a level has 49 numbers."""
    layers = jax.eval_shape(lambda: initial_model_state(ModelSettings(), 49, 6, 0)).layers
    assert sum(value.size for layer in layers for value in layer.values()) < 32_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"hidden": ()}, r"hidden=\(\) are no widths"), ({"hidden": (0,)}, "no widths"), ({"updates": 0}, "updates=0")],
)
def test_settings_that_cannot_be_meant(changes, words):
    with pytest.raises(ArgumentError, match=words):
        dataclasses.replace(SETTINGS, **changes)
