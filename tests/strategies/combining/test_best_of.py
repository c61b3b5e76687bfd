"""The best of N is what the critic says, among draws of the episode's own generator."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import RTC, BestOf
from tests.strategies.policies import Dear, Gaussian, Listed, requests


def first_number(observations, chunks):
    return chunks[:, 0, 0]


def draw(strategy, rows=3, seed=0):
    request = requests(np.zeros((rows, 8, 1), np.float32), [0] * rows, seed=seed)
    return strategy.infer_batch(np.zeros((rows, 3), np.float32), request)


def test_the_most_valuable_is_chosen():
    chunks = [np.full((4, 1), value) for value in (0.0, 3.0, 1.0, 2.0)]
    request = requests(np.zeros((2, 4, 1), np.float32), [0, 0])
    observations = np.zeros((2, 3), np.float32)
    best = BestOf(Listed(chunks), first_number, samples=4).infer_batch(observations, request)
    np.testing.assert_array_equal(best[:, 0, 0], [3.0, 3.0])
    worst = BestOf(Listed(chunks), lambda seen, rows: -rows[:, 0, 0], samples=4).infer_batch(observations, request)
    np.testing.assert_array_equal(worst[:, 0, 0], [0.0, 0.0])


def test_each_request_has_its_own_choice():
    """A critic that wants a large first number for some observations, and a small one for others."""
    sign = np.array([1.0, -1.0, 1.0], np.float32)
    observations = np.stack([sign, -sign], axis=1)  # the policy's mean depends on their sum, which is 0
    request = requests(np.zeros((3, 8, 1), np.float32), [0] * 3)
    best = BestOf(Gaussian(), lambda seen, rows: seen[:, 0] * rows[:, 0, 0], samples=64)
    rises = best.infer_batch(observations, request)[:, 0, 0] - Gaussian().mean(observations)[:, 0]
    np.testing.assert_array_equal(np.sign(rises), sign)


def test_one_sample_is_the_policy():
    np.testing.assert_array_equal(draw(BestOf(Gaussian(), first_number, samples=1)), draw(Gaussian()))


def test_more_samples_are_worth_more():
    few, many = (draw(BestOf(Gaussian(), first_number, samples=count), rows=50) for count in (2, 32))
    assert many[:, 0, 0].mean() > few[:, 0, 0].mean() + 1


def test_candidates_of_rtc_all_go_on_from_what_is_left():
    left = np.full((2, 8, 1), 4.0, np.float32)
    request = requests(left, [6, 6], delay=3, execution_horizon=2)
    chosen = BestOf(RTC(Gaussian()), first_number, samples=8).infer_batch(np.zeros((2, 3), np.float32), request)
    plain = BestOf(Gaussian(), lambda seen, rows: -np.abs(rows[:, :3, 0] - 4).sum(axis=1), samples=8)
    nearest = plain.infer_batch(np.zeros((2, 3), np.float32), request)
    assert np.abs(chosen[:, :3] - 4).mean() < np.abs(nearest[:, :3] - 4).mean()


def test_it_costs_its_samples():
    assert BestOf(Gaussian(), first_number, samples=8).cost.evaluations == 8 * 5
    strategy = BestOf(Dear(Gaussian()), first_number, samples=2)
    draw(strategy, rows=2)
    assert [cost.evaluations for cost in strategy.costs] == [1 + 2, 3 + 4]
    assert strategy.cost == strategy.costs[-1]


@pytest.mark.parametrize("values", [lambda seen, rows: rows[:, :, 0], lambda seen, rows: np.full(len(rows), np.nan)])
def test_values_that_are_none_are_refused(values):
    with pytest.raises(ArgumentError, match="give one number for each of 24 chunks"):
        draw(BestOf(Gaussian(), values, samples=8))


def test_a_critic_that_cannot_be_called_is_refused():
    with pytest.raises(ArgumentError, match="values=3 cannot be called"):
        BestOf(Gaussian(), 3)
