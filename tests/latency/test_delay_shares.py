import math

import numpy as np
import pytest
from scipy import stats

from chunkenv.latency.delay_shares import correlation, delay_shares


def test_shares_of_delays():
    seconds = [0.0, 0.01, 0.02, 0.0200001, 0.1]
    assert delay_shares(seconds, rate=50) == {0: 0.2, 1: 0.4, 2: 0.2, 5: 0.2}
    assert delay_shares(seconds, rate=10) == {0: 0.2, 1: 0.8}
    assert list(delay_shares([0.9, 0.1, 0.5], rate=10)) == [1, 5, 9]


def test_correlation_is_that_of_ranks_within_episodes():
    rng = np.random.default_rng(0)
    seconds = np.round(np.exp(np.cumsum(rng.normal(size=50))), 1)
    assert correlation([seconds]) == pytest.approx(stats.spearmanr(seconds[:-1], seconds[1:]).statistic)
    pairs = [(seconds[i], seconds[i + 1]) for i in range(49) if i != 29]
    assert correlation([seconds[:30], seconds[30:]]) == pytest.approx(stats.spearmanr(pairs).statistic)


@pytest.mark.parametrize("episodes", [[], [[0.1]], [[0.1], [0.2]], [[0.1, 0.2]], [[0.1] * 9], [[0.1] * 5 + [0.2]]])
def test_correlation_that_is_not_defined(episodes):
    assert math.isnan(correlation(episodes))
