"""Native vector environments by one call, with and without chunks."""

import gymnasium as gym
import pytest

from chunkenv import ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.vector.making import made


def test_it_is_chunked_if_chunks_are_asked_for():
    assert type(made(KinetixVectorEnv, 2, {"level": "catapult"})) is KinetixVectorEnv
    assert type(made(KinetixVectorEnv, 2, {"level": "catapult", "prediction_horizon": 4})) is ChunkedVectorExecution


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"latency": 2}, "latency: these are about chunks; give prediction_horizon, too"),
        ({"prediction_horizn": 8}, "prediction_horizn=8 is no argument here; did you mean 'prediction_horizon'"),
        ({"prediction_horizon": 4, "execution_horizon": 5}, "execution_horizon=5"),
        ({"rewrad": "sparse"}, "did you mean 'reward'"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        gym.make_vec("chunkenv/manip-cube-single-task1-v0", num_envs=2, **arguments)
