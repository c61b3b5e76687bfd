import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from chunkenv.bench.analysis import intervals as stats
from chunkenv.bench.analysis.intervals import (
    interquartile_mean,
    mean_rate,
    paired_difference,
    pooled,
    probability_of_improvement,
    wilson,
)
from chunkenv.errors import ArgumentError


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
    even = [[1, 0] * 20, [1, 0] * 20]
    apart = [[1, 0] * 20, [11, 10] * 20]
    assert pooled(apart).high - pooled(apart).low == pytest.approx(pooled(even).high - pooled(even).low)


def test_no_interval_has_width_zero():
    """Case 16: 40 pairs that are all equal do not show that no pair differs."""
    solved = [np.ones(20)] * 2
    found = paired_difference(solved, solved)
    assert found == pytest.approx((0, wilson(40, 40).low - 1, 1 - wilson(40, 40).low))
    always = paired_difference(solved, [np.zeros(20)] * 2)
    assert (always.estimate, always.high) == (1, 1)
    assert always.low == pytest.approx(1 - 2 * wilson(0, 40).high)
    assert probability_of_improvement(solved, solved) == pytest.approx((0.5, 0.456, 0.544), abs=1e-3)
    returns = [[21.5] * 20] * 2
    for alike in (paired_difference(returns, returns), pooled(returns), interquartile_mean(returns)):
        assert math.isnan(alike.low)
        assert math.isnan(alike.high)
    middle = interquartile_mean([[0.0, *[5.0] * 98, 99.0]])
    assert middle.estimate == pytest.approx(5)
    assert math.isnan(middle.low)


@pytest.mark.parametrize("differ", [0.01, 0.05])
def test_intervals_of_pairs_that_hardly_differ_keep_their_level(differ):
    """Where no pair of 40 differs, the truth lies in the interval; where some do, the bootstrap is asked."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        second = rng.random((2, 20)) < 0.5
        first = second ^ (rng.random((2, 20)) < differ)
        found = paired_difference(list(first * 1.0), list(second * 1.0))
        hits += found.low <= 0 <= found.high
    assert hits >= 190


def test_a_rate_over_tasks_weighs_each_the_same():
    assert mean_rate([(18, 20), (3, 20)]) == wilson(21, 40)
    uneven = mean_rate([(20, 20), (0, 5)])
    assert uneven.estimate == 0.5
    assert uneven == pytest.approx(wilson(8, 16))  # 4 / (1 / 20 + 1 / 5) episodes
    assert mean_rate([(3, 4), (0, 0)]) == wilson(3, 4)
    assert all(math.isnan(end) for end in mean_rate([(0, 0)]))
    assert mean_rate([(2, 2), (5, 5)]).high == 1


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


def scipys(statistic, samples, **options):
    found = scipy_stats.bootstrap(
        samples, statistic, n_resamples=5_000, method="percentile", rng=np.random.default_rng(1), **options
    )
    return found.confidence_interval


def test_the_interquartile_mean_is_that_of_scipy():
    rng = np.random.default_rng(0)
    tasks = [rng.normal(size=40), rng.normal(loc=1, scale=3, size=40), rng.normal(size=40)]

    def trimmed(*samples, axis):
        return scipy_stats.trim_mean(np.concatenate(samples, axis), 0.25, axis)

    expected, found = scipys(trimmed, tasks), interquartile_mean(tasks, resamples=5_000)
    assert found.estimate == pytest.approx(scipy_stats.trim_mean(np.concatenate(tasks), 0.25))
    assert found.high - found.low == pytest.approx(math.sqrt(40 / 39) * (expected.high - expected.low), rel=0.06)
    assert found.low == pytest.approx(expected.low, abs=0.05)


def test_the_interquartile_mean_counts_edges_in_part_and_tasks_alike():
    assert interquartile_mean([[0.0, 1.0, 5.0]]).estimate == pytest.approx((0.25 * 0 + 1 + 0.25 * 5) / 1.5)
    few, many = [0.0, 2.0, 4.0, 6.0], [1.0, 3.0, 5.0, 7.0]
    assert interquartile_mean([few, many * 5]).estimate == pytest.approx(interquartile_mean([few, many]).estimate)


def test_outliers_do_not_move_the_interquartile_mean():
    task = np.random.default_rng(0).normal(size=100)
    wild = np.where(np.arange(100) < 5, 1e9, task)
    assert interquartile_mean([wild]).high < 1


def test_paired_differences_are_those_of_scipy():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(2, 50))
    second = first + rng.normal(loc=0.5, scale=0.1, size=(2, 50))

    def difference(a, b, c, d, axis):
        return ((a - b).mean(axis) + (c - d).mean(axis)) / 2

    found = paired_difference(list(second), list(first))
    expected = scipys(difference, (second[0], first[0], second[1], first[1]), paired=True)
    assert found.low == pytest.approx(expected.low, abs=0.01)
    assert found.high == pytest.approx(expected.high, abs=0.01)
    assert found.high - found.low < 0.1  # 0.4 without the pairing


def test_the_probability_of_improvement_is_that_of_scipy():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (2, 80)), rng.integers(0, 3, (2, 80))

    def better(a, b, c, d, axis):
        wins = [(np.sign(one - other) / 2 + 0.5).mean(axis) for one, other in ((a, b), (c, d))]
        return (wins[0] + wins[1]) / 2

    found = probability_of_improvement(list(first), list(second))
    expected = scipys(better, (first[0], second[0], first[1], second[1]), paired=True)
    assert found.low == pytest.approx(expected.low, abs=0.01)
    assert found.high == pytest.approx(expected.high, abs=0.01)


def test_the_probability_of_improvement_is_mann_and_whitneys_where_episodes_have_nothing_in_common():
    rng = np.random.default_rng(0)
    first, second = rng.normal(loc=0.5, size=20_000), rng.normal(size=20_000)
    expected = scipy_stats.mannwhitneyu(first, second).statistic / 20_000**2
    assert probability_of_improvement([first], [second]).estimate == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("compare", [paired_difference, probability_of_improvement])
def test_other_episodes_are_no_pairs(compare):
    with pytest.raises(ArgumentError, match=r"\[2\] episodes by task and the second \[3\]"):
        compare([[1, 2]], [[1, 2, 3]])


@pytest.mark.parametrize("values", [np.arange(60) % 3, np.random.default_rng(0).normal(size=60)])
def test_many_episodes_are_resampled_by_counts_or_in_rounds_to_the_same_interval(monkeypatch, values):
    at_once, middle = pooled([values, values + 1]), interquartile_mean([values])
    monkeypatch.setattr(stats, "MANY", 5_000)
    assert pooled([values, values + 1]) == pytest.approx(at_once, abs=0.02)
    assert interquartile_mean([values]) == pytest.approx(middle, abs=0.02)


def test_too_little_to_tell_for_the_interquartile_mean():
    assert math.isnan(interquartile_mean([[1.0, 2.0], [1.0]]).low)


def draw_gaussian(rng):
    return list(rng.normal(loc=np.arange(12)[:, None], scale=2, size=(12, 20))), 5.5


def draw_solved(rng):
    rates = np.linspace(0.2, 0.9, 12)
    return list((rng.random((12, 60)) < rates[:, None]) * 1.0), rates.mean()


def draw_paired(rng):
    rates = np.linspace(0.3, 0.9, 12)[:, None]
    luck = rng.random((12, 60))
    return list((luck < rates) * 1.0 - (luck < rates - 0.1 * rng.random((12, 60)))), 0.05


def draw_symmetric(rng):
    return list(rng.standard_t(3, size=(12, 20))), 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interval", "draw"),
    [(pooled, draw_gaussian), (pooled, draw_solved), (pooled, draw_paired), (interquartile_mean, draw_symmetric)],
)
def test_95_percent_intervals_cover_93_to_97(interval, draw):
    rng, hits, rounds = np.random.default_rng(0), 0, 2000
    for _ in range(rounds):
        tasks, true = draw(rng)
        found = interval(tasks, resamples=1000)
        hits += found.low <= true <= found.high
    assert 0.93 <= hits / rounds <= 0.97
