"""The prefix in a batch of observations is that in each."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, iterate

from chunkenv.request import Request
from chunkenv.utils.spaces import chunk_space, padding
from chunkenv.vector.vector_prefix import VectorPrefixObservation
from chunkenv.wrappers.prefix_observation import PrefixObservation
from tests.vector.comparing import same
from tests.worlds import ACTIONS

OBSERVATIONS = {
    "box": spaces.Box(-1.0, 1.0, (2, 2), np.float64),
    "discrete": spaces.Discrete(4),
    "dict": spaces.Dict({"z": spaces.Box(0.0, 1.0, (3,), np.float32), "a": spaces.Box(-5, 5, (2,), np.int64)}),
    "tuple": spaces.Tuple((spaces.Box(0.0, 1.0, (1,), np.float32), spaces.MultiBinary(2))),
}


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("action", ["box", "discrete", "dict"])
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_each_is_the_single_one(observation, action, flat):
    observations, chunks = OBSERVATIONS[observation], chunk_space(ACTIONS[action], 3)
    single = PrefixObservation(observations, chunks, flat)
    several = VectorPrefixObservation(single, batch_space(single.parts_space, 4))
    batch = batch_space(observations, 4)
    batch.seed(0)
    seen, filling = batch.sample(), padding(batch_space(chunks, 4))
    lengths, estimates = np.zeros(4, np.int64), np.array([0, 2, 1, 5])
    result = several(seen, filling, lengths, estimates)
    assert batch_space(several.space, 4).contains(result)
    nothing = chunk_space(ACTIONS[action], 1)
    for index, one in enumerate(iterate(batch, seen)):
        prefix = _without_rows(padding(nothing))
        expected = single(one, Request(0, prefix, 0, int(estimates[index]), 3, prefix))
        same(_at(result, index), _at(_batched(expected), 0))


def _without_rows(chunk):
    return {key: part[:0] for key, part in chunk.items()} if isinstance(chunk, dict) else chunk[:0]


def _batched(value):
    if isinstance(value, dict):
        return {key: _batched(part) for key, part in value.items()}
    return tuple(_batched(part) for part in value) if isinstance(value, tuple) else np.asarray(value)[None]


def _at(value, index):
    if isinstance(value, dict):
        return {key: _at(part, index) for key, part in value.items()}
    return tuple(_at(part, index) for part in value) if isinstance(value, tuple) else np.asarray(value[index])
