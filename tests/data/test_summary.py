import numpy as np
import pytest
from scipy import stats

from chunkenv.data.summary import ExpertSummary, summarize_channels, summarize_experts
from tests.data.making import in_memory


def test_everybody_gets_what_is_theirs():
    assert summarize_experts(in_memory([3, 2, 5, 1])) == [
        ExpertSummary("expert0", 2, 1, 4.0),
        ExpertSummary("expert1", 2, 1, 1.5),
    ]


def test_who_did_not_play_has_a_line_too():
    dataset = in_memory([3])
    assert summarize_experts(dataset) == [ExpertSummary("expert0", 1, 0, 3.0), ExpertSummary("expert1", 0, 0, 0.0)]


def test_only_attempts_count():
    attempts = np.array([True, False, True, True])
    assert summarize_experts(in_memory([3, 2, 5, 1]), attempts) == [
        ExpertSummary("expert0", 2, 1, 4.0),
        ExpertSummary("expert1", 1, 0, 1.0),
    ]


def test_channels_are_described_by_their_numbers():
    dataset = in_memory([3, 2, 5, 1, 4, 2, 2])
    first = dataset.actions[dataset.episodes.start].astype(np.float64)
    for index, channel in enumerate(summarize_channels(dataset)):
        values = dataset.actions[:, index].astype(np.float64)
        assert (channel.low, channel.high) == (values.min(), values.max())
        assert (channel.mean, channel.std) == pytest.approx((values.mean(), values.std()))
        assert channel.at_bounds == pytest.approx((abs(values) >= 0.99).mean())
        assert channel.first_std == pytest.approx(first[:, index].std())
        kurtosis = stats.kurtosis(first[:, index], fisher=False)
        assert channel.two_peaks == pytest.approx((stats.skew(first[:, index]) ** 2 + 1) / kurtosis)


def test_where_all_do_the_same_there_are_no_peaks():
    dataset = in_memory([3, 2])
    dataset.actions[:] = 0.5
    assert all(np.isnan(channel.two_peaks) and channel.first_std == 0 for channel in summarize_channels(dataset))
