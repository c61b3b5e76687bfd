import numpy as np
import pytest
from gymnasium import spaces

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError
from chunkenv.wrappers.dict_observation import DictObservation
from tests.worlds import Recorder

ADDED = {"age": spaces.Discrete(9), "prefix": spaces.MultiBinary(2)}
VALUES = {"age": np.int64(3), "prefix": np.array([0, 1], np.int8)}
OWN = {"a": spaces.Discrete(2), "b": spaces.Discrete(3)}


@pytest.mark.parametrize(
    ("space", "observation", "keys"),
    [
        (spaces.Discrete(4), np.int64(1), {"observation"}),
        (spaces.Tuple(tuple(OWN.values())), (np.int64(1), np.int64(2)), {"observation"}),
        (spaces.Dict(OWN), {"a": np.int64(1), "b": np.int64(2)}, {"a", "b"}),
        (spaces.Dict({}), {}, set()),
    ],
)
def test_the_joined_observation_is_a_member_of_the_space(space, observation, keys):
    seen = DictObservation(space, ADDED, option="observe")
    joined = seen.join(observation, VALUES)
    assert set(seen.space.spaces) == set(joined) == keys | set(ADDED)
    assert seen.space.contains(joined)


def test_the_environments_own_dict_is_left_alone():
    space, observation = spaces.Dict(OWN), {"a": np.int64(1), "b": np.int64(2)}
    DictObservation(space, ADDED, option="observe").join(observation, VALUES)
    assert set(space.spaces) == set(observation) == {"a", "b"}


@pytest.mark.parametrize("taken", [{"age"}, {"age", "prefix"}])
def test_taken_keys_are_named_with_the_option_that_wants_them(taken):
    space = spaces.Dict({**OWN, **{key: spaces.Discrete(2) for key in taken}})
    with pytest.raises(ArgumentError) as caught:
        DictObservation(space, ADDED, option="observe_prefix")
    assert f"observe_prefix would overwrite the observation's own {sorted(taken)}; rename them" in str(caught.value)


def test_an_observation_without_a_flat_form_is_refused_where_one_is_asked_for():
    env = Recorder()
    env.observation_space = spaces.Sequence(spaces.Box(-1.0, 1.0, (2,)))
    with pytest.raises(
        ArgumentError, match=r"observe_prefix='flat' needs an observation with a flat Box form.*use True"
    ):
        ChunkedExecution(env, 4, observe_prefix="flat")
