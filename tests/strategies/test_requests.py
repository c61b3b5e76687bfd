"""Batches of requests are their requests."""

from operator import itemgetter

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.strategies import Naive
from chunkenv.strategies.requests import (
    generators_of,
    map_arrays,
    plan_left,
    repeat,
    repeat_request,
    request_of,
    stack,
    stack_requests,
)
from tests.strategies.policies import generators, requests
from tests.worlds import ACTIONS, Recorder


def same(one, other):
    for name in one._fields:
        if name != "rng":
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_stacked_requests_are_those_of_the_vector_environment():
    make = lambda: ChunkedExecution(gym.make("Pendulum-v1"), 8, 3, latency=2)
    envs = [make() for _ in range(3)]
    inner = gym.make_vec("Pendulum-v1", num_envs=3, vectorization_mode="sync")
    vector = ChunkedVectorExecution(inner, prediction_horizon=8, execution_horizon=3, latency=2)
    vector.reset(seed=0)
    for index, env in enumerate(envs):
        env.reset(seed=index)
    rng = np.random.default_rng(0)
    for _ in range(3):
        same(stack_requests([env.request for env in envs], rows=8), vector.request)
        chunks = rng.normal(size=(3, 8, 1)).astype(np.float32)
        vector.step(chunks)
        for env, chunk in zip(envs, chunks, strict=True):
            env.step(chunk)


@pytest.mark.parametrize(("horizons", "most"), [((2, 4), 1), (None, 3)])
def test_stacked_requests_have_the_choices_and_what_is_in_flight(horizons, most):
    options = dict(prediction_horizon=8, execution_horizon=horizons or 2, delays=(0, 3, 5), max_in_flight=most)
    envs = [ChunkedExecution(gym.make("Pendulum-v1"), **options) for _ in range(3)]
    inner = gym.make_vec("Pendulum-v1", num_envs=3, vectorization_mode="sync")
    vector = ChunkedVectorExecution(inner, **options)
    vector.reset(seed=0)
    for index, env in enumerate(envs):
        env.reset(seed=index)
    rng = np.random.default_rng(0)
    in_flight = set()
    for step in range(6):
        batch = stack_requests([env.request for env in envs], rows=8)
        assert (batch.horizons, batch.delays) == (horizons, (0, 3, 5))
        counts = [len(env.request.pending) for env in envs]
        in_flight.add(max(counts))
        if max(counts):
            for one, other in zip(batch.pending, vector.request.pending, strict=True):
                np.testing.assert_array_equal(one, other[:, : max(counts)])
        else:
            assert batch.pending is None
        for index in range(3):
            assert str(request_of(batch, index)) == str(envs[index].request)
            assert str(request_of(vector.request, index)) == str(envs[index].request)
        chunks = rng.normal(size=(3, 8, 1)).astype(np.float32)
        delays = np.array([(0, 1, 2), (2, 2, 1), (2, 1, 0)][step % 3])
        action = {"chunk": chunks, "delay": delays} | ({"horizon": np.array([2, 3, 4])} if horizons else {})
        vector.step(action)
        for index, env in enumerate(envs):
            env.step({name: part[index] for name, part in action.items()})
    assert in_flight == set(range(most))


@pytest.mark.parametrize("kind", ["box", "dict", "nested"])
def test_a_request_survives_a_batch(kind):
    env = ChunkedExecution(Recorder(ACTIONS[kind]), 6, 3, latency=2)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    request = env.request._replace(rng=np.random.default_rng(0))
    back = request_of(stack_requests([request, request], rows=6), 1)
    assert back.rng is request.rng
    assert str(back) == str(request)


def test_a_missing_generator_leaves_none():
    env = ChunkedExecution(Recorder(), 6, 3)
    env.reset(seed=0)
    batch = stack_requests([env.request, env.request._replace(rng=np.random.default_rng(0))])
    assert batch.rng is None
    assert request_of(batch, 0).rng is None


def test_observations_of_any_structure_are_stacked():
    one = {"eye": np.arange(3), "pair": (1.0, np.zeros((2, 2)))}
    batch = stack([one, one])
    assert batch["eye"].shape == (2, 3)
    assert batch["pair"][0].shape == (2,)
    assert batch["pair"][1].shape == (2, 2, 2)


def test_a_tuple_of_sentences_is_a_batch_of_them():
    """As vector environments give instructions; a tuple of one sentence is no sentence either."""
    batch = {"robot": np.arange(3.0), "instruction": ("Go up.", "Go down.", "Stay.")}
    many = repeat(batch, 2)
    assert many["instruction"].tolist() == ["Go up."] * 2 + ["Go down."] * 2 + ["Stay."] * 2
    assert many["robot"].tolist() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    assert map_arrays(itemgetter(1), batch) == {"robot": 1.0, "instruction": "Go down."}
    chosen = map_arrays(itemgetter(np.array([True, False, True])), batch)
    assert chosen["instruction"].tolist() == ["Go up.", "Stay."]
    assert repeat(("Go up.",), 2).tolist() == ["Go up."] * 2


class Spelling:
    """Knows one request at a time, and says how long its instruction is."""

    def infer(self, observation, request):
        return np.full((8, 1), len(observation["instruction"]))


def test_a_policy_that_knows_no_batches_is_asked_with_each_instruction():
    seen = {"instruction": ("Go up.", "Go down.", "Stay.")}
    chunks = Naive(Spelling()).infer_batch(seen, requests(np.zeros((3, 8, 1)), [4, 4, 4]))
    assert chunks[:, 0, 0].tolist() == [6, 8, 5]


def test_repeated_requests_share_the_generator_of_their_episode():
    request = requests(np.arange(16.0).reshape(2, 8, 1), [4, 2], delay=[1, 2])
    many = repeat_request(request._replace(playing=np.array([True, False])), 3, request.rng)
    assert many.playing.tolist() == [True] * 3 + [False] * 3
    assert [rng is request.rng[index // 3] for index, rng in enumerate(many.rng)] == [True] * 6
    for index in range(6):
        one, other = request_of(many, index), request_of(request, index // 3)
        assert str(one) == str(other)


@pytest.mark.parametrize("kind", ["box", "dict", "nested"])
def test_chunks_in_flight_survive_a_batch_and_its_repetition(kind):
    env = ChunkedExecution(Recorder(ACTIONS[kind]), 6, 2, latency=5, max_in_flight=3)
    env.reset(seed=0)
    first = env.request
    for _ in range(3):
        env.step(env.action_space.sample())
    assert len(env.request.pending) == 2
    rng = np.random.default_rng(0)
    requests = [first._replace(rng=rng), env.request._replace(rng=rng)]
    many = repeat_request(stack_requests(requests, rows=6), 2, (rng, rng))
    for index in range(4):
        assert str(request_of(many, index)) == str(requests[index // 2])


@pytest.mark.parametrize("rng", [None, np.random.default_rng(0), generators(1), (None, None), "rngs"])
def test_generators_that_are_not_one_an_episode_are_refused(rng):
    request = requests(np.zeros((2, 8, 1)), [4, 4])._replace(rng=rng)
    with pytest.raises(ArgumentError, match=r"but RTC draws from it: give one numpy Generator for each of the 2"):
        generators_of(request, "RTC")


def test_a_plan_has_real_rows_only():
    left = np.full((2, 5, 1), 7.0)
    left[0, 2:] = np.nan
    plan = plan_left(requests(left, [2, 5]), 8, 1)
    assert plan.dtype == np.float32
    np.testing.assert_array_equal(plan[:, :, 0], [[7, 7, 0, 0, 0, 0, 0, 0], [7, 7, 7, 7, 7, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(2, 9, 1), (2, 8, 3), (2, 8)])
def test_chunks_that_are_not_the_policys_are_refused(shape):
    with pytest.raises(ArgumentError, match="but the policy makes 8 rows of shape"):
        plan_left(requests(np.zeros(shape), [2, 2]), 8, 1)
