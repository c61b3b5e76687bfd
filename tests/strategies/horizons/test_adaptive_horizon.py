"""Rows are executed up to where samples disagree, samples are paid for, and the first one is the plain chunk."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution, evaluate, evaluate_batch
from chunkenv.errors import ArgumentError
from chunkenv.strategies import RTC, AdaptiveHorizon, Cost, Naive, RandomHorizon
from chunkenv.testing import StrategyContract
from tests.evaluate.test_decision_rows import without_times
from tests.strategies.policies import Dear, Gaussian, generators, requests

CHUNKS = dict(prediction_horizon=8, execution_horizon=(2, 6), latency=1)


class Unsure(Gaussian):
    """Sure of itself up to a row that the observation names; from there on, chunks are shifted by noise."""

    def infer_batch(self, observations, request):
        noise = np.stack([rng.normal(size=(1, 1)) for rng in request.rng]).astype(np.float32)
        sure = (7 * np.abs(np.reshape(observations, (len(noise), -1))[:, :1])).astype(int)
        return np.where(np.arange(8)[None, :, None] < sure[:, :, None], np.float32(0.5), noise)


def make_strategy():
    return AdaptiveHorizon(Unsure(), alpha=0.0)


def make_env():
    return ChunkedExecution(gym.make("Pendulum-v1", max_episode_steps=40), **CHUNKS)


def make_envs(slots):
    makers = [lambda: gym.make("Pendulum-v1", max_episode_steps=40)] * slots
    return ChunkedVectorExecution(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED), **CHUNKS)


class TestAdaptiveHorizon(StrategyContract):
    decisions = 8

    def make_policy(self):
        return make_strategy()

    def make_env(self):
        return make_env()


class TestAdaptiveHorizonOverRTC(TestAdaptiveHorizon):
    def make_policy(self):
        return AdaptiveHorizon(RTC(Gaussian()))


class TestRandomHorizon(TestAdaptiveHorizon):
    def make_policy(self):
        return RandomHorizon(Gaussian(), 3.5)


def at_the_start(count, horizons=(2, 6), delay=0):
    left = np.zeros((count, 8, 1))
    return requests(left, [0] * count, delay=delay, ticks=np.zeros(count, int))._replace(horizons=horizons)


@pytest.mark.parametrize(("delay", "horizons"), [(0, [6, 3, 5, 6]), (2, [6, 2, 3, 5])])
def test_rows_are_executed_up_to_where_samples_disagree(delay, horizons):
    """The policy is sure of 0, 3, 5 and 7 rows. Where it is sure of none, none is less sure than the others."""
    observations = np.array([[0.0], [0.5], [0.75], [1.0]])
    chunks, chosen = make_strategy().infer_batch(observations, at_the_start(4, delay=delay))
    assert chunks.shape == (4, 8, 1)
    assert chosen.tolist() == horizons


def test_the_chunk_is_the_plain_one_and_every_sample_is_drawn_from_the_episode():
    request, plain = at_the_start(4), Gaussian().infer_batch(np.zeros((4, 3)), at_the_start(4))
    chunks, _ = AdaptiveHorizon(Gaussian(), samples=3).infer_batch(np.zeros((4, 3)), request)
    np.testing.assert_array_equal(chunks, plain)
    for rng, fresh in zip(request.rng, generators(4), strict=True):
        fresh.standard_normal((3, 8, 1), np.float32)
        assert rng.random() == fresh.random()


def test_all_samples_are_paid_for():
    strategy = AdaptiveHorizon(Gaussian(), samples=3)
    assert strategy.cost == Cost(15, 0, 1500)
    strategy.infer_batch(np.zeros((2, 3)), at_the_start(2))
    assert strategy.costs == [Cost(15, 0, 1500)] * 2
    strategy = AdaptiveHorizon(Dear(Gaussian()), samples=3)
    strategy.infer_batch(np.zeros((2, 3)), at_the_start(2))
    assert [cost.evaluations for cost in strategy.costs] == [1 + 2 + 3, 4 + 5 + 6]
    assert strategy.cost == strategy.costs[-1]


def test_where_there_is_nothing_to_choose_one_chunk_is_drawn():
    strategy = AdaptiveHorizon(Gaussian())
    _, horizons = strategy.infer_batch(np.zeros((2, 3)), at_the_start(2, horizons=(4, 4)))
    assert horizons.tolist() == [4, 4]
    assert [cost.evaluations for cost in strategy.costs] == [5, 5]


@pytest.mark.parametrize("make", [AdaptiveHorizon, lambda policy: RandomHorizon(policy, 2.0)])
def test_a_mask_ends_where_the_rows_left_end(make):
    """RTC's ends at H - s: with the largest horizon, 6, it would leave two of five rows."""
    left = np.full((1, 8, 1), 30.0, np.float32)
    observations = np.zeros((1, 3), np.float32)
    request = requests(left, [5], delay=2, execution_horizon=6)._replace(horizons=(2, 6))
    chunks, _ = make(RTC(Gaussian(), "ones")).infer_batch(observations, request)
    plain = Gaussian().infer_batch(observations, requests(left, [5]))
    assert (np.abs(chunks - plain)[0, :, 0] > 1).tolist() == [True] * 5 + [False] * 3


@pytest.mark.parametrize("slots", [1, 3])
def test_what_is_counted_is_what_happened(slots):
    single, batch = [], []
    rows = evaluate(make_env, make_strategy(), 4, seed=0, decisions=single)
    assert evaluate_batch(make_envs, make_strategy(), 4, seed=0, slots=slots, decisions=batch) == rows
    assert without_times(batch) == without_times(single)
    assert len({row["horizon"] for row in single}) > 2
    assert {row["evaluations"] for row in single} == {20}
    assert sum(row["denoiser_evaluations"] for row in rows) == 20 * len(single)


def test_random_horizons_have_the_mean_that_is_wanted():
    decisions = []
    evaluate(make_env, RandomHorizon(Gaussian(), 3.25), 25, seed=0, decisions=decisions)
    horizons = [row["horizon"] for row in decisions]
    assert set(horizons) == {3, 4}
    assert np.mean(horizons) == pytest.approx(3.25, abs=0.09)
    assert RandomHorizon(Gaussian(), 3.25).cost == Cost(5, 0, 500)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdaptiveHorizon(Gaussian(), samples=1), "samples=1"),
        (lambda: AdaptiveHorizon(Gaussian(), window=0), "window=0"),
        (lambda: RandomHorizon(Gaussian(), 0.5), "mean=0.5"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_a_policy_that_answers_no_batches_is_refused():
    policy = Gaussian()
    policy.infer_batch = None
    with pytest.raises(ArgumentError, match="AdaptiveHorizon needs a policy with infer_batch"):
        AdaptiveHorizon(policy)


@pytest.mark.parametrize("strategy", [AdaptiveHorizon(Gaussian()), RandomHorizon(Naive(Gaussian()), 2.0)])
def test_an_environment_in_which_nobody_chooses_is_refused(strategy):
    with pytest.raises(ArgumentError, match="horizons=None: the environment asks every 4 ticks"):
        strategy.infer_batch(np.zeros((2, 3)), at_the_start(2, horizons=None))


def test_without_generators_it_refuses():
    with pytest.raises(ArgumentError, match="but AdaptiveHorizon draws from it"):
        AdaptiveHorizon(Gaussian()).infer_batch(np.zeros((2, 3)), at_the_start(2)._replace(rng=None))
