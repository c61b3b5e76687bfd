import copy
import pickle

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.latency import LatencyModel, checked_draw
from tests.latency.shared import MODELS, Undescribed, draws, named


@named
def test_draws_repeat_for_a_seed_and_do_not_touch_the_model(model):
    first = draws(model, 20, seed=5)
    assert draws(model, 20, seed=5).tolist() == first.tolist()
    assert draws(pickle.loads(pickle.dumps(model)), 20, seed=5).tolist() == first.tolist()
    assert draws(copy.deepcopy(model), 20, seed=5).tolist() == first.tolist()


@named
def test_state_can_be_kept_and_gone_back_to(model):
    rng = np.random.default_rng(0)
    _, state = model.draw(rng, model.begin(rng))
    kept_rng, kept = copy.deepcopy(rng), pickle.loads(pickle.dumps(state))
    ahead = [model.draw(rng, state)[0] for _ in range(3)]
    assert [model.draw(kept_rng, kept)[0] for _ in range(3)] == ahead


def test_models_cannot_be_changed():
    for model in MODELS[:-1]:
        with pytest.raises(AttributeError):
            model.seconds = 1.0


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match=r"has no draw\(rng, state\)"):
        LatencyModel().draw(np.random.default_rng(0), None)
    with pytest.raises(NotImplementedError, match="does not say its mean"):
        Undescribed().mean()
    with pytest.raises(NotImplementedError, match="does not say its quantiles"):
        Undescribed().quantile(0.5)


def test_draw_that_forgets_the_state_is_caught():
    class Forgetful(LatencyModel):
        def draw(self, rng, state):
            return 0.1

    with pytest.raises(ArgumentError, match=r"drew 0.1; draw\(rng, state\) must return \(seconds, state\)"):
        checked_draw(Forgetful(), np.random.default_rng(0), None)
