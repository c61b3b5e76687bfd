import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from chunkenv.bench.stats import pooled, wilson


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_is_that_of_scipy(counts, confidence):
    successes, episodes = counts
    expected = scipy_stats.binomtest(successes, episodes).proportion_ci(confidence, method="wilson")
    found = wilson(successes, episodes, confidence)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= found.low <= found.estimate == successes / episodes <= found.high <= 1


def test_the_bootstrap_is_that_of_scipy_but_for_n_minus_1():
    rng = np.random.default_rng(0)
    tasks = [rng.normal(size=40), rng.normal(loc=1, scale=3, size=60), rng.normal(size=50)]

    def mean_of_means(*samples, axis):
        return sum(sample.mean(axis) for sample in samples) / len(samples)

    expected = scipy_stats.bootstrap(
        tasks, mean_of_means, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    found = pooled(tasks, resamples=20_000)
    width = math.sqrt(50 / 49)
    assert found.estimate == pytest.approx(np.mean([task.mean() for task in tasks]))
    assert found.high - found.low == pytest.approx(width * (expected.high - expected.low), rel=0.03)
    assert found.low == pytest.approx(expected.low, abs=0.03)


def test_the_interval_has_the_right_width_with_few_episodes():
    tasks = np.random.default_rng(0).normal(size=(400, 2))
    found = pooled(list(tasks), resamples=5_000)
    error = math.sqrt(sum(task.var(ddof=1) / 2 for task in tasks)) / len(tasks)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_tasks_weigh_the_same_whatever_their_number_of_episodes():
    assert pooled([[1, 1, 1, 1, 1, 1], [0, 0]]).estimate == 0.5


def test_spread_between_tasks_does_not_widen_the_interval():
    found = pooled([[1, 1, 1], [0, 0, 0]])
    assert (found.low, found.high) == (0.5, 0.5)


def test_single_episodes_are_resampled_together():
    found = pooled([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0]])
    assert found.low < 0.3 < 0.7 < found.high
    mixed = pooled([[1.0], [0.0], [1.0, 1.0]])
    assert mixed.estimate == pytest.approx(2 / 3)
    assert mixed.low == pytest.approx(1 / 3)


@pytest.mark.parametrize("tasks", [[[1.0]], [[1.0], [0.0, 1.0]]])
def test_too_little_to_tell(tasks):
    found = pooled(tasks)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert not math.isnan(found.estimate)


def test_the_bootstrap_is_seeded():
    tasks = list(np.random.default_rng(0).normal(size=(3, 10)))
    assert pooled(tasks) == pooled(tasks)
    assert pooled(tasks, seed=1) != pooled(tasks)


@pytest.mark.slow
@pytest.mark.parametrize(("gap", "episodes"), [(0.2, 3), (0.5, 3), (0.5, 10)])
def test_intervals_of_paired_differences_cover(gap, episodes):
    rng = np.random.default_rng(0)
    rates = np.array([1, 0.98, 0.98, 0.98, 0.6, 0.95, 0.95, 0.95, 0.9, 0.9, 0.98, 0.6])
    true, hits = gap * rates.mean(), 0
    for _ in range(500):
        first, second = rng.random((2, 12, episodes))
        found = pooled(list((first < rates[:, None]) * 1.0 - (second < (1 - gap) * rates[:, None])), resamples=1000)
        hits += found.low - 1e-9 <= true <= found.high + 1e-9
    assert hits / 500 > 0.9
