"""Strategies that choose when to be asked again, and whose chunks differ in what they cost."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution, evaluate, evaluate_batch
from chunkenv.strategies import Cost, Naive, Strategy
from tests.strategies.policies import Gaussian, requests

LEFT = np.arange(24.0).reshape(3, 8, 1)
OBSERVATIONS = np.array([[1.0], [2.0], [3.0]])


class Short(Strategy):
    """Executes fewer rows where the observation is large, and says what each chunk cost."""

    last = (Cost(5, 0, None),)

    @property
    def cost(self):
        return self.last[0]

    @property
    def costs(self):
        return self.last

    def infer_batch(self, observations, request):
        chunks = super().infer_batch(observations, request)
        sizes = np.abs(np.reshape(observations, (len(chunks), -1))[:, 0])
        self.last = tuple(Cost(5 if size < 0.5 else 9, 0, None) for size in sizes)
        return chunks, np.where(sizes < 2.5, 4, 2)


class ChoosesAlone:
    """Answers one by one, with its horizon."""

    def infer(self, observation, request):
        return np.full((8, 1), observation[0], np.float32), int(observation[0])


def test_a_pair_of_a_batch_is_a_pair_of_one():
    chunks, horizons = Short(Gaussian()).infer_batch(OBSERVATIONS, requests(LEFT, [4, 2, 0], delay=3))
    assert (chunks.shape, horizons.tolist()) == ((3, 8, 1), [4, 4, 2])
    env = ChunkedExecution(gym.make("Pendulum-v1"), 8, 4)
    env.reset(seed=0)
    chunk, horizon = Short(Gaussian()).infer(np.full(3, 3.0), env.request._replace(rng=np.random.default_rng(0)))
    assert (chunk.shape, horizon) == ((8, 1), 2)


@pytest.mark.parametrize("wrap", [Naive, lambda policy: Naive(Naive(policy))])
def test_pairs_of_a_policy_pass_through(wrap):
    chunks, horizons = wrap(ChoosesAlone()).infer_batch(OBSERVATIONS, requests(LEFT, [4, 2, 0], delay=3))
    assert chunks[:, 0, 0].tolist() == horizons.tolist() == [1, 2, 3]
    chunk, horizon = wrap(ChoosesAlone()).infer(OBSERVATIONS[1], SimpleNamespace())
    assert (chunk.shape, horizon) == ((8, 1), 2)


def test_costs_pass_through_and_are_none_where_all_are_alike():
    strategy = Naive(Short(Gaussian()))
    strategy.infer_batch(np.array([[0.1], [2.0], [0.0]]), requests(LEFT, [4, 2, 0], delay=3))
    assert [cost.evaluations for cost in strategy.costs] == [5, 9, 5]
    assert Naive(Gaussian()).costs is None


class Chunks(Strategy):
    """The chunks of `Short` alone, for an environment in which no horizon is chosen."""

    def infer_batch(self, observations, request):
        return super().infer_batch(observations, request)[0]


def test_evaluations_of_a_batch_are_those_of_one_by_one():
    options = dict(prediction_horizon=8, execution_horizon=4, latency=2)

    def make_env():
        return ChunkedExecution(gym.make("Pendulum-v1", max_episode_steps=60), **options)

    def make_envs(slots):
        makers = [lambda: gym.make("Pendulum-v1", max_episode_steps=60)] * slots
        return ChunkedVectorExecution(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED), **options)

    single = evaluate(make_env, Chunks(Short(Gaussian())), 5, seed=0)
    batch = evaluate_batch(make_envs, Chunks(Short(Gaussian())), 5, seed=0, slots=3)
    spent = [row["denoiser_evaluations"] for row in single]
    assert spent == [row["denoiser_evaluations"] for row in batch]
    assert len(set(spent)) > 1
