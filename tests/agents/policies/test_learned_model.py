"""The network of a learned model, with weights by hand."""

import jax
import numpy as np
import pytest

from chunkenv.agents import load_learned_model
from chunkenv.agents.nets import mlp
from chunkenv.agents.policies.learned_model import LearnedModel, ModelScales
from chunkenv.agents.pretrained.learned_models import add_model, load_model
from chunkenv.errors import ArgumentError
from chunkenv.strategies import PredictedState
from tests.strategies.policies import Gaussian, requests

SCALES = ModelScales(*(np.array(each, np.float32) for each in ([0, 0], [1, 1], [1, -2], [1, 1], [-1] * 3, [1] * 3)))


def random_model(level, observation, action):
    """A network of these sizes, whose predictions stay near the observation."""
    layers = mlp.initial(jax.random.key(0), (observation + action, 8, observation))
    seen, one = np.zeros(observation, np.float32), np.ones(action, np.float32)
    return LearnedModel(level, layers, ModelScales(seen, seen + 1, seen, seen + 0.01, -one, one), {})


def model(still=True):
    """A network of 2 numbers and 3 channels; still, it always predicts the mean change."""
    layers = mlp.initial(jax.random.key(0), (5, 8, 2))
    if still:
        layers[-1] = {name: 0 * value for name, value in layers[-1].items()}
    return LearnedModel("catapult", layers, SCALES, {"seed": 0})


def batch(count=4, rows=6):
    rng = np.random.default_rng(1)
    return rng.normal(size=(count, 2)).astype(np.float32), rng.normal(size=(count, rows, 3)).astype(np.float32)


def test_every_tick_adds_the_change_and_each_row_has_its_own_number_of_ticks():
    seen, prefix = batch()
    found = model().predict(seen, prefix, np.array([0, 1, 3, 6]))
    np.testing.assert_allclose(found - seen, np.outer([0, 1, 3, 6], [1, -2]), rtol=1e-5)


def test_two_ticks_are_one_and_then_another():
    seen, prefix = batch()
    moving, one = model(still=False), np.ones(4, np.int64)
    first = moving.predict(seen, prefix, one)
    second = moving.predict(first, prefix[:, 1:], one)
    np.testing.assert_allclose(moving.predict(seen, prefix, 2 * one), second, rtol=1e-4, atol=1e-5)
    assert np.abs(second - first - SCALES.change_mean).max() > 0.01


def test_actions_beyond_those_of_the_data_are_clipped_and_filling_is_not_read():
    seen, prefix = batch()
    moving, lengths = model(still=False), np.array([2, 2, 0, 3])
    found = moving.predict(seen, 5 * prefix, lengths)
    np.testing.assert_allclose(moving.predict(seen, (5 * prefix).clip(-1, 1), lengths), found, rtol=1e-6)
    spoilt = np.where(np.arange(6)[:, None] < lengths[:, None, None], 5 * prefix, np.nan)
    np.testing.assert_array_equal(moving.predict(seen, spoilt, lengths), found)


def test_no_row_depends_on_the_others():
    seen, prefix = batch()
    moving, lengths = model(still=False), np.array([2, 5, 0, 3])
    whole = moving.predict(seen, prefix, lengths)
    for row in range(4):
        alone = moving.predict(seen[row : row + 1], prefix[row : row + 1], lengths[row : row + 1])
        np.testing.assert_allclose(alone[0], whole[row], rtol=1e-5, atol=1e-6)


def test_without_rows_the_observations_stay():
    seen, _ = batch()
    np.testing.assert_array_equal(model().predict(seen, np.zeros((4, 0, 3)), np.zeros(4, np.int64)), seen)


@pytest.mark.parametrize(
    ("observations", "prefix"),
    [
        (np.zeros((4, 3), np.float32), batch()[1]),
        (batch()[0], np.zeros((4, 6, 2))),
        (np.zeros((4, 2), np.uint8), batch()[1]),
    ],
)
def test_what_does_not_fit_is_refused(observations, prefix):
    with pytest.raises(ArgumentError, match=r"model of catapult was given .* needs float32\[N, 2\] and \[N, T, 3\]"):
        model().predict(observations, prefix, np.zeros(4, np.int64))


def test_a_strategy_takes_it():
    found = PredictedState(Gaussian(action_size=3), model()).infer_batch(
        batch()[0], requests(np.ones((4, 8, 3)), [4, 4, 4, 4], delay=2)
    )
    assert np.isfinite(found).all()


def test_what_is_written_is_read(tmp_path):
    seen, prefix = batch()
    own, lengths = model(still=False), np.array([1, 2, 3, 4])
    own.save(tmp_path / "model.safetensors")
    again = load_learned_model(tmp_path / "model.safetensors")
    assert (again.level, again.facts) == ("catapult", {"seed": 0})
    np.testing.assert_array_equal(again.predict(seen, prefix, lengths), own.predict(seen, prefix, lengths))


def test_one_of_a_family_is_small_and_almost_the_same(tmp_path):
    seen, prefix = batch()
    own, lengths = model(still=False), np.array([1, 2, 3, 4])
    add_model(own, {"command": "made"}, tmp_path)
    found = load_model("catapult", tmp_path).predict(seen, prefix, lengths)
    np.testing.assert_allclose(found, own.predict(seen, prefix, lengths), atol=0.2)
    with pytest.raises(ArgumentError, match=r"no weights trampoline-model .* chunkenv train model trampoline"):
        load_model("trampoline", tmp_path)
