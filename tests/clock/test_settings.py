"""The arguments of the clocks: each mistake is one sentence."""

import pytest

from chunkenv.clock import ChunkClock, TickClock
from chunkenv.errors import ArgumentError


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(prediction_horizon=0), "prediction_horizon=0 is too small"),
        (dict(prediction_horizon=-3), "prediction_horizon=-3 is too small"),
        (dict(prediction_horizon=2.5), "prediction_horizon=2.5 is not a whole number"),
        (dict(prediction_horizon="8"), "prediction_horizon='8' is not a whole number"),
        (dict(prediction_horizon=True), "prediction_horizon=True is not a whole number"),
        (dict(prediction_horizon=None), "prediction_horizon=None is not a whole number"),
        (dict(prediction_horizon=8, execution_horizon=9), "execution_horizon=9 is more than prediction_horizon=8"),
        (dict(prediction_horizon=8, execution_horizon=0), "execution_horizon=0 is too small"),
        (dict(prediction_horizon=8, execution_horizon=1.0), "execution_horizon=1.0 is not a whole number"),
        (dict(prediction_horizon=8, cold_start="fre"), "did you mean 'free'"),
        (dict(prediction_horizon=8, cold_start=None), "cold_start=None is unknown"),
        (dict(prediction_horizon=8, overlap="yes"), "overlap='yes' is not True or False"),
        (dict(prediction_horizon=8, overlap=1), "overlap=1 is not True or False"),
    ],
)
@pytest.mark.parametrize("kind", [ChunkClock, TickClock])
def test_bad_arguments(kind, arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        kind(**arguments)
