"""The example of an adaptive horizon: rows are executed up to where samples disagree; the cost is what was drawn."""

import runpy
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution, evaluate, evaluate_batch
from chunkenv.strategies import Cost
from chunkenv.testing import StrategyContract
from tests.evaluate.test_decision_rows import without_times
from tests.strategies.policies import Gaussian, requests

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "adaptive_horizon.py"))
CHUNKS = dict(prediction_horizon=8, execution_horizon=(2, 6), latency=1)


class Unsure(Gaussian):
    """Sure of itself up to a row that the observation names; beyond it, chunks are noise."""

    def infer_batch(self, observations, request):
        noise = np.stack([rng.normal(size=(8, 1)) for rng in request.rng]).astype(np.float32)
        sure = (7 * np.abs(np.reshape(observations, (len(noise), -1))[:, :1])).astype(int)
        return np.where(np.arange(8)[None, :, None] < sure[:, :, None], np.float32(0.5), noise)


def make_strategy():
    return EXAMPLE["AdaptiveHorizon"](Unsure(), tolerance=1e-3)


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


def test_rows_are_executed_up_to_where_samples_disagree():
    strategy = make_strategy()
    observations = np.array([[0.0], [0.5], [0.75], [1.0]])
    request = requests(np.zeros((4, 8, 1)), [0] * 4)._replace(horizons=(2, 6))
    chunks, horizons = strategy.infer_batch(observations, request)
    assert horizons.tolist() == [2, 3, 5, 6]
    assert [cost.evaluations for cost in strategy.costs] == [30, 30, 30, 10]
    assert chunks.shape == (4, 8, 1)


@pytest.mark.parametrize("slots", [1, 3])
def test_what_is_counted_is_what_happened(slots):
    single, batch = [], []
    rows = evaluate(make_env, make_strategy(), 4, seed=0, decisions=single)
    assert evaluate_batch(make_envs, make_strategy(), 4, seed=0, slots=slots, decisions=batch) == rows
    assert without_times(batch) == without_times(single)
    EXAMPLE["check"](rows, single)
    assert {row["evaluations"] for row in single} == {10, 30}
    assert len({row["horizon"] for row in single}) > 2
    assert all(row["evaluations"] == 30 for row in single if row["horizon"] < 6)


def test_random_horizons_have_the_mean_that_is_wanted():
    decisions = []
    evaluate(make_env, EXAMPLE["RandomHorizon"](Gaussian(), 3.25), 60, seed=0, decisions=decisions)
    horizons = [row["horizon"] for row in decisions]
    assert set(horizons) == {3, 4}
    assert np.mean(horizons) == pytest.approx(3.25, abs=0.06)
    assert EXAMPLE["RandomHorizon"](Gaussian(), 3.25).cost == Cost(5, 0, 500)
