import copy
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from chunkenv import latency
from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Gamma, LatencyModel, LogNormal, Sum, Uniform, checked_draw, from_spec
from chunkenv.latency.model import name_of
from tests.latency.shared import BUSY, CALM, MODELS, Doubled, Undescribed, draws, named


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


def test_sum_adds_means_and_shifts_quantiles_by_constants():
    model = Constant(0.02) + LogNormal(0.08, 0.3) + Constant(0.03)
    known = stats.lognorm(s=0.3, scale=0.08, loc=0.05)
    assert model.mean() == pytest.approx(known.mean())
    assert model.quantile(0.9) == pytest.approx(known.ppf(0.9))
    assert stats.kstest(draws(model, 4000), known.cdf).pvalue > 0.01


def test_sum_of_two_that_vary_has_no_quantile():
    with pytest.raises(NotImplementedError, match="no closed form"):
        (Uniform(0.0, 1.0) + Uniform(0.0, 1.0)).quantile(0.5)


def test_sum_of_two_that_vary_knows_its_least():
    assert (Uniform(0.25, 1.0) + Uniform(0.5, 1.0) + Constant(1.0)).quantile(0.0) == 1.75


def test_sums_are_flat():
    a, b, c = Constant(0.1), Uniform(0.0, 0.1), Gamma(0.1, 0.5)
    assert (a + b) + c == a + (b + c) == Sum((a, b, c)) == Sum([Sum([a, b]), c])
    assert repr(a + b) == "Constant(seconds=0.1) + Uniform(low=0.0, high=0.1)"


BAD_ARGUMENTS = [
    (lambda: Sum([]), r"parts=\[\] is not a list of latency models"),
    (lambda: Sum(Constant(0.1)), r"parts=Constant\(seconds=0.1\) is not a list"),
    (lambda: Sum([Constant(0.1), 0.2]), r"parts=0.2 is not a latency model; write Constant\(0.2\)"),
    (lambda: Constant(0.1) + 0.05, r"0.05 cannot be added.*write Constant\(0.05\)"),
    (lambda: Constant(0.1) + "0.05", "'0.05' cannot be added"),
    (lambda: (CALM + BUSY).quantile(2), "q=2"),
]


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()


@named
def test_spec_goes_through_json_both_ways(model):
    again = from_spec(json.loads(json.dumps(model.spec())))
    assert draws(again, 20).tolist() == draws(model, 20).tolist()
    assert again.spec() == model.spec()


@pytest.mark.parametrize("model", MODELS[:-1], ids=map(repr, MODELS[:-1]))
def test_repr_can_be_pasted_back(model):
    assert eval(repr(model), vars(latency)) == model
    assert from_spec(model.spec()) == model
    assert hash(from_spec(model.spec())) == hash(model)


def test_every_model_of_ours_has_a_short_name():
    ours = [each for each in vars(latency).values() if isinstance(each, type) and issubclass(each, LatencyModel)]
    names = {name_of(each) for each in ours if each is not LatencyModel}
    assert names == set(latency.MODELS) == {each.__name__.lower() for each in ours if each is not LatencyModel}


def test_spec_names_a_user_class_by_its_module():
    model = Doubled(Constant(0.1), labels=("a",))
    assert model.spec() == {
        "model": "tests.latency.shared:Doubled",
        "inner": {"model": "constant", "seconds": 0.1},
        "labels": ["a"],
    }
    assert isinstance(from_spec(model.spec()), Doubled)


def test_numpy_values_of_a_user_class_are_plain_in_its_spec():
    model = Doubled(Constant(np.float32(0.5)), labels=(np.int64(3), np.array([1.5, 2.5])))
    spec = json.loads(json.dumps(model.spec()))
    assert (spec["inner"]["seconds"], spec["labels"]) == (0.5, [3, [1.5, 2.5]])


def test_a_subclass_of_ours_is_not_taken_for_ours():
    assert from_spec(Slower(0.1, 0.5).spec()) == Slower(0.1, 0.5)


class Slower(Gamma):
    """A user's subclass of a model of ours."""


def test_model_without_a_spec_says_so():
    with pytest.raises(ArgumentError, match="Undescribed has no spec: make it a dataclass"):
        Undescribed().spec()


def test_model_in_a_function_has_no_spec():
    @dataclass(frozen=True)
    class Local(LatencyModel):
        pass

    with pytest.raises(ArgumentError, match="defined in a function"):
        Local().spec()


NOT_A_MODEL = object()

BAD_SPECS = [
    ({}, "is not the spec of a latency model"),
    ([], r"\[\] is not the spec"),
    ("constant", "'constant' is not the spec"),
    ({"seconds": 0.1}, "is not the spec of a latency model"),
    ({"model": "lognormall"}, "no latency model 'lognormall'; did you mean 'lognormal'?"),
    ({"model": "zzz"}, "choose one of 'constant', 'uniform'"),
    ({"model": None}, "no latency model None"),
    ({"model": ["constant"]}, "no latency model"),
    ({"model": "constant"}, r"does not fit Constant\(seconds\): missing a required argument: 'seconds'"),
    ({"model": "constant", "second": 0.1}, r"does not fit Constant\(seconds\)"),
    ({"model": "gamma", "average": 0.1, "cv": 1}, r"does not fit Gamma\(mean, cv\)"),
    ({"model": "constant", "seconds": -1}, "seconds=-1"),
    ({"model": "sum", "parts": [{"model": "nothing"}]}, "no latency model 'nothing'"),
    ({"model": "no_such_module:Model"}, "'no_such_module:Model' cannot be imported"),
    ({"model": f"{__name__}:Missing"}, "cannot be imported"),
    ({"model": ":Model"}, "cannot be imported"),
    ({"model": f"{__name__}:"}, "cannot be imported"),
    ({"model": f"{__name__}:NOT_A_MODEL"}, "is not a subclass of chunkenv.latency.LatencyModel"),
    ({"model": "math:sqrt"}, "is not a subclass of chunkenv.latency.LatencyModel"),
]


@pytest.mark.parametrize(("spec", "sentence"), BAD_SPECS)
def test_bad_spec(spec, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        from_spec(spec)
