import json

import pytest

from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Measured, Uniform, from_spec
from tests.latency.shared import INF, NAN


def test_what_was_measured_is_scaled():
    assert Measured().charged(0.125) == Constant(0.125)
    assert Measured(scale=4).charged(0.125) == Constant(0.5)
    assert (Measured(2.0) + Uniform(0.0, 1.0)).charged(0.125) == Constant(0.25) + Uniform(0.0, 1.0)
    assert Uniform(0.0, 1.0).charged(0.125) == Uniform(0.0, 1.0)


@pytest.mark.parametrize("model", [Measured(), Measured(scale=2.5), Measured() + Constant(0.1)])
def test_spec_goes_through_json_both_ways(model):
    assert from_spec(json.loads(json.dumps(model.spec()))) == model
    assert from_spec(model.spec()).measured


def test_no_mean_and_no_quantile_is_known():
    with pytest.raises(NotImplementedError):
        Measured().mean()
    with pytest.raises(NotImplementedError):
        (Measured() + Constant(0.1)).quantile(0.0)


@pytest.mark.parametrize("scale", [0.0, -1.0, NAN, INF, "2", None, True])
def test_bad_scale(scale):
    with pytest.raises(ArgumentError, match="scale="):
        Measured(scale)
