"""Where the policy is asked, and where its rows go."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import EngineModel
from chunkenv.strategies import PredictedState
from chunkenv.testing import StrategyContract
from tests.strategies.linear_world import LinearModel, LinearWorld
from tests.strategies.policies import Gaussian, requests


class Sampling:
    """Row i is the feedback on the state that its own rows lead to, with noise; `asked` is where it was asked."""

    def __init__(self, noise=1.0):
        self.noise, self.asked = noise, []

    def infer(self, observation, request):
        self.asked.append((request.tick, request.delay_estimate, request.prefix_length, observation.tolist()))
        x, rows = observation, []
        for _ in range(8):
            rows.append(-0.5 * x)
            x = 0.9 * x + rows[-1]
        return np.stack(rows) + self.noise * request.rng.normal(size=(8, 2))


def play(policy, horizon, latency, decisions, horizons=None):
    """The actions of some decisions; where it may choose them, with these horizons."""
    env = ChunkedExecution(LinearWorld(), 8, horizon, latency=latency, info="actions")
    observation, _ = env.reset(seed=0)
    rng, actions = np.random.default_rng(0), []
    for index in range(decisions):
        chunk = policy.infer(observation, env.request._replace(rng=rng))
        decision = chunk if horizons is None else {"chunk": chunk, "horizon": horizons[index]}
        observation, *_, info = env.step(decision)
        actions += info["actions"]
    return np.stack(actions)


@pytest.mark.parametrize(("delay", "horizon"), [(1, 1), (2, 3), (4, 4), (3, 5)])
def test_it_is_asking_without_delay_later(delay, horizon):
    """The first chunk is there at once, and runs until the second, which was asked for `horizon` ticks after it."""
    late = play(PredictedState(Sampling(), LinearModel()), horizon, delay, decisions=5)
    free = play(Sampling(), (1, 8), 0, decisions=5, horizons=[horizon + delay, *[horizon] * 4])
    assert len(late) == 5 * horizon
    np.testing.assert_allclose(late, free[: len(late)], rtol=1e-4, atol=1e-5)
    assert not np.allclose(late, play(Sampling(), horizon, delay, decisions=5), atol=0.1)


def test_the_policy_is_asked_behind_the_prefix_and_without_delay():
    policy = Sampling(noise=0.0)
    request = requests(np.full((2, 8, 2), 2.0), [5, 5], delay=[2, 0])
    chunks = PredictedState(policy, LinearModel()).infer_batch(np.ones((2, 2)), request)
    there = 0.9 * (0.9 * 1.0 + 2.0) + 2.0
    assert policy.asked == [(10, 0, 0, pytest.approx([there, there])), (8, 0, 0, [1.0, 1.0])]
    np.testing.assert_allclose(chunks[0, :3, 0], [2.0, 2.0, -0.5 * there])
    np.testing.assert_allclose(chunks[1, 0, 0], -0.5)


class Listening(Gaussian):
    """Keeps its last request."""

    def infer_batch(self, observations, request):
        self.request = request
        return super().infer_batch(observations, request)


def test_what_is_left_behind_the_prefix_is_shown_to_the_policy():
    policy, left = Listening(), np.arange(24.0).reshape(3, 8, 1)
    request = requests(left, [5, 8, 0], delay=[2, 3, 4])
    PredictedState(policy, LinearModel()).infer_batch(np.ones((3, 1)), request)
    assert policy.request.left_over_length.tolist() == [3, 5, 0]
    assert policy.request.left_over[0, :3, 0].tolist() == [2, 3, 4]
    assert policy.request.left_over[1, :5, 0].tolist() == [11, 12, 13, 14, 15]


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4), delay=st.integers(0, 8), seed=st.integers(0, 99))
def test_no_row_depends_on_the_others_nor_on_filling(lengths, delay, seed):
    rng = np.random.default_rng(seed)
    left, observations = rng.normal(size=(len(lengths), 8, 1)), rng.normal(size=(len(lengths), 1))
    whole = PredictedState(Gaussian(), LinearModel()).infer_batch(observations, requests(left, lengths, delay))
    spoilt = np.where(np.arange(8)[:, None] < np.reshape(lengths, (-1, 1, 1)), left, np.nan)
    again = PredictedState(Gaussian(), LinearModel()).infer_batch(observations, requests(spoilt, lengths, delay))
    np.testing.assert_array_equal(whole, again)
    alone = requests(left, lengths, delay)
    last = alone._replace(**{name: getattr(alone, name)[-1:] for name in LISTED})
    one = PredictedState(Gaussian(), LinearModel()).infer_batch(observations[-1:], last)
    np.testing.assert_allclose(one[0], whole[-1], rtol=1e-5)


LISTED = ("tick", "prefix", "prefix_length", "delay_estimate", "left_over", "left_over_length", "rng")


@pytest.mark.parametrize("delay", [1, 3])
def test_in_the_engine_it_is_asking_without_delay_later(delay):
    """A level without noise: the policy sees the same, to the bit, at the same ticks."""

    def make(observation, horizon, latency):
        return ChunkedVectorExecution(
            gym.make_vec(
                "chunkenv/kinetix-cartpole_thrust-v0",
                2,
                observation=observation,
                autoreset_mode=AutoresetMode.DISABLED,
            ),
            8,
            horizon,
            latency=latency,
            info="actions",
        )

    late, model = make("state", 3, delay), EngineModel("cartpole_thrust")
    policy = Gaussian(action_size=6)
    found = rollout(late, PredictedState(policy, model), [None] * 4)
    expected = rollout(make("compact", (1, 8), 0), policy, [3 + delay, 3, 3, 3])
    np.testing.assert_array_equal(found, expected[:, : found.shape[1]])


def rollout(envs, policy, horizons):
    observations, _ = envs.reset(seed=0)
    rngs, actions = (np.random.default_rng(0), np.random.default_rng(1)), []
    for horizon in horizons:
        chunks = policy.infer_batch(observations, envs.request._replace(rng=rngs))
        decision = chunks if horizon is None else {"chunk": chunks, "horizon": np.full(2, horizon)}
        observations, *_, infos = envs.step(decision)
        actions.append(np.stack([np.stack(each) for each in infos["actions"]]))
    return np.concatenate(actions, axis=1)


@pytest.mark.parametrize(("model", "what"), [(None, "None"), (EngineModel, "EngineModel"), (object(), "object")])
def test_what_cannot_predict_is_refused(model, what):
    with pytest.raises(ArgumentError, match=f"PredictedState was given model=.*{what}.*which cannot predict; give an"):
        PredictedState(Gaussian(), model)


def test_chunks_of_another_kind_are_refused():
    with pytest.raises(ArgumentError, match=r"chunks have shape \(8, 2\), but the environment's have 8 rows"):
        PredictedState(Gaussian(action_size=2), LinearModel()).infer_batch(
            np.ones((1, 1)), requests(np.ones((1, 8, 1)), [3], delay=2)
        )


def test_it_costs_what_the_policy_costs():
    assert PredictedState(Gaussian(), LinearModel()).cost.evaluations == 5


class TestContract(StrategyContract):
    """All that holds for every strategy."""

    def make_policy(self):
        return PredictedState(Gaussian(action_size=2), LinearModel())

    def make_env(self):
        return ChunkedExecution(LinearWorld(), 8, 4, latency=2)
