import json
from dataclasses import dataclass

import pytest

from chunkenv import latency
from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Gamma, LatencyModel, from_spec
from chunkenv.latency.names import name_of
from tests.latency.shared import MODELS, Doubled, Undescribed, draws, named


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
