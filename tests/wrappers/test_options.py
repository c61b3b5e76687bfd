"""Both wrappers take the same arguments, which are listed once."""

import inspect
from dataclasses import fields

import gymnasium as gym
import pytest
from gymnasium.vector import SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.testing import CountingEnv
from chunkenv.wrappers import ChunkOptions
from chunkenv.wrappers.options import LATER

WRAPPERS = {
    "env": (ChunkedExecution, CountingEnv),
    "vector_env": (ChunkedVectorExecution, lambda: SyncVectorEnv([CountingEnv] * 2)),
}


@pytest.mark.parametrize("first", WRAPPERS)
def test_the_signature_is_the_environment_and_the_options(first):
    wrap, _ = WRAPPERS[first]
    parameters = inspect.signature(wrap).parameters
    assert list(parameters) == [first, *(field.name for field in fields(ChunkOptions))]
    options = inspect.signature(ChunkOptions).parameters
    assert {name: parameters[name] for name in options} == dict(options)


@pytest.mark.parametrize("first", WRAPPERS)
def test_arguments_in_order_or_by_name(first):
    wrap, make_env = WRAPPERS[first]
    in_order = wrap(make_env(), 8, 4, 2)
    by_name = wrap(**{first: make_env()}, prediction_horizon=8, execution_horizon=4, latency=2)
    assert in_order._saved_kwargs == by_name._saved_kwargs
    assert in_order._saved_kwargs.keys() == {field.name for field in fields(ChunkOptions)} - LATER.keys()


@pytest.mark.parametrize("first", WRAPPERS)
def test_options_that_earlier_versions_do_not_know_are_named_where_they_are_used(first):
    wrap, make_env = WRAPPERS[first]
    used = {"max_in_flight": 2, "request_period": 4}
    assert used.items() <= wrap(make_env(), 8, 4, 2, **used)._saved_kwargs.items()
    assert wrap(make_env(), 8, 4, delays=(0, 2))._saved_kwargs["delays"] == [0, 2]


@pytest.mark.parametrize("first", WRAPPERS)
def test_arguments_that_do_not_exist_or_are_missing(first):
    wrap, make_env = WRAPPERS[first]
    name = wrap.__name__
    with pytest.raises(TypeError, match=f"{name}: got an .* 'predict_horizon'; did you mean 'prediction_horizon'"):
        wrap(make_env(), predict_horizon=8)
    with pytest.raises(TypeError, match=f"{name}: missing a required argument: 'prediction_horizon'; it takes {first}"):
        wrap(make_env())
    with pytest.raises(TypeError, match=f"{name}: too many positional"):
        wrap(make_env(), 8, 4, 2, True)


def test_a_warning_names_the_line_that_makes_the_environment():
    for latency, sentence in ((3, "never act"), (2, "2 of the 2 ticks")):
        with pytest.warns(UserWarning, match=sentence) as caught:
            ChunkedExecution(CountingEnv(), 2, latency=latency)
        assert caught[0].filename == __file__


def test_a_wrapper_may_be_extended():
    class Short(ChunkedExecution):
        def __init__(self, env: gym.Env, discount: float) -> None:
            super().__init__(env, 2, discount=discount)

    assert (Short(CountingEnv(), 0.5).prediction_horizon, Short(CountingEnv(), 0.5).discount) == (2, 0.5)
