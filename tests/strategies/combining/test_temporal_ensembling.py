"""The mean, against ACT's weights by hand and against a slow reference."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution, Request, evaluate
from chunkenv.errors import ArgumentError
from chunkenv.strategies import Naive, TemporalEnsembling
from tests.strategies.policies import requests

NOTHING = np.zeros((0, 1), np.float32)


class Remembered:
    """Hands out the given chunks in turn."""

    def __init__(self, chunks):
        self.chunks = iter(np.asarray(chunks, np.float32))

    def infer(self, observation, request):
        return next(self.chunks)


def infer(strategy, tick):
    return strategy.infer(np.zeros(1), Request(tick, NOTHING, 0, 0, 1, NOTHING))


def test_the_oldest_counts_most():
    """ACT: exp(-m i), i = 0 for the oldest; for tick 2: rows 2, 1, 0 of the chunks of ticks 0, 1, 2."""
    chunks = np.random.default_rng(0).normal(size=(3, 3, 1)).astype(np.float32)
    strategy = TemporalEnsembling(Remembered(chunks), decay=0.5)
    first, second, third = (infer(strategy, tick) for tick in range(3))
    np.testing.assert_array_equal(first, chunks[0])
    weights = np.exp([0.0, -0.5, -1.0])
    expected = weights @ [chunks[0][2], chunks[1][1], chunks[2][0]] / weights.sum()
    np.testing.assert_allclose(third[0], expected, rtol=1e-5)
    np.testing.assert_allclose(second[2], chunks[1][2], rtol=1e-6)  # nobody else covers tick 3
    expected = (chunks[1][2] + np.exp(-0.5) * chunks[2][1]) / (1 + np.exp(-0.5))  # the chunk of tick 0 ends before
    np.testing.assert_allclose(third[1], expected, rtol=1e-5)


def reference(chunks, ticks, decay):
    """The last chunk's means, row by row."""
    horizon, now = len(chunks[0]), ticks[-1]
    rows = []
    for row in range(horizon):
        said = [c[now + row - t] for c, t in zip(chunks, ticks, strict=True) if now + row - t < horizon]
        weights = np.exp(-decay * np.arange(len(said)))
        rows.append(np.tensordot(weights, said, 1) / weights.sum())
    return np.array(rows)


@given(st.integers(1, 6), st.lists(st.integers(1, 7), max_size=8), st.sampled_from([0.0, 0.01, 1.0]), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_it_is_the_reference(horizon, gaps, decay, seed):
    ticks = np.cumsum([0, *gaps]).tolist()
    chunks = np.random.default_rng(seed).normal(size=(len(ticks), horizon, 2)).astype(np.float32)
    strategy = TemporalEnsembling(Remembered(chunks), decay)
    for count, tick in enumerate(ticks, 1):
        expected = reference(chunks[:count], ticks[:count], decay)
        np.testing.assert_allclose(infer(strategy, tick), expected, rtol=1e-4, atol=1e-5)


def test_each_row_of_a_batch_has_a_memory_of_its_own():
    """Row 1 begins anew at the third request, row 2 at the second; each equals a strategy that was alone."""
    ticks = np.array([[0, 3, 6, 9], [4, 7, 0, 2], [9, 0, 2, 5]])  # rows begin in the middle of an episode, too
    chunks = np.random.default_rng(0).normal(size=(4, 3, 5, 2)).astype(np.float32)
    policy = SimpleNamespace(infer=len, infer_batch=lambda _, request: chunks[request.execution_horizon])
    batched = TemporalEnsembling(policy)
    seen = [batched.infer_batch(np.zeros(3), at(ticks[:, index], index)) for index in range(4)]
    for row in range(3):
        alone = TemporalEnsembling(Remembered(chunks[:, row]))
        for index in range(4):
            np.testing.assert_array_equal(seen[index][row], infer(alone, ticks[row, index]))


def at(ticks, index):
    return requests(np.zeros((len(ticks), 0, 2)), np.zeros(len(ticks), int), execution_horizon=index, ticks=ticks)


def test_a_tick_that_is_asked_about_again_counts_once():
    strategy = TemporalEnsembling(Remembered([[[0.0]] * 4, [[1.0]] * 4, [[4.0]] * 4]), decay=0.0)
    assert infer(strategy, 0)[0] == 0
    assert infer(strategy, 2)[0] == 0.5
    assert infer(strategy, 2)[0] == 2.0


def test_a_policy_that_writes_over_its_last_chunk_changes_no_memory():
    class OneBuffer(Remembered):
        def infer(self, observation, request):
            self.buffer = getattr(self, "buffer", np.empty((4, 1), np.float32))
            self.buffer[:] = super().infer(observation, request)
            return self.buffer

        def infer_batch(self, observations, request):
            return self.infer(observations, request)[None]

    strategy = TemporalEnsembling(OneBuffer([[[0.0]] * 4, [[1.0]] * 4]), decay=0.0)
    assert infer(strategy, 0)[0] == 0
    assert infer(strategy, 2)[0] == 0.5


def test_reset_forgets():
    strategy = TemporalEnsembling(Remembered(np.arange(3.0)[:, None, None] * np.ones((3, 4, 1))), decay=0.0)
    infer(strategy, 3)
    strategy.reset()
    assert infer(strategy, 4)[0] == 1.0


def test_what_it_remembers_is_bounded():
    policy = SimpleNamespace(infer=lambda observation, request: np.zeros((4, 1), np.float32))
    strategy = TemporalEnsembling(policy)
    for tick in range(50):
        infer(strategy, tick)
    assert len(strategy._chunks) == 4


def test_another_number_of_rows_is_refused_within_episodes():
    policy = SimpleNamespace(infer=lambda observation, request: np.zeros((4, 1), np.float32))
    strategy = TemporalEnsembling(policy)
    strategy.infer_batch(np.zeros((2, 3)), at(np.array([0, 0]), 1))
    with pytest.raises(ArgumentError, match=r"infer_batch was given 3 observations after 2; keep to one number"):
        strategy.infer_batch(np.zeros((3, 3)), at(np.array([1, 0, 1]), 1))
    strategy.infer_batch(np.zeros((3, 3)), at(np.array([0, 0, 0]), 1))


def test_actions_that_have_no_mean_are_refused():
    strategy = TemporalEnsembling(SimpleNamespace(infer=lambda observation, request: np.zeros(4, int)))
    with pytest.raises(ArgumentError, match="have dtype int64, and temporal ensembling averages"):
        infer(strategy, 0)


@pytest.mark.parametrize("decay", [-0.1, float("nan"), "small"])
def test_a_decay_that_cannot_be_meant_is_refused(decay):
    with pytest.raises(ArgumentError, match=r"decay=.* is not a finite number of at least 0"):
        TemporalEnsembling(Remembered([]), decay)


def test_with_a_chunk_at_a_time_it_is_the_plain_policy():
    """An execution horizon of H, without overlap: nothing else covers a tick."""

    class Noise:
        def infer(self, observation, request):
            return request.rng.normal(size=(4, 1)).astype(np.float32)

    make_env = lambda: ChunkedExecution(gym.make("Pendulum-v1"), 4, 4, overlap=False, latency=1)
    plain, ensemble = (
        evaluate(make_env, policy, 2, seed=0) for policy in (Naive(Noise()), TemporalEnsembling(Noise()))
    )
    assert plain == ensemble
