"""A sub-goal first, then a chunk: who is shown what, and what each draws from."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.strategies import Subgoals, stack_requests


class Aiming:
    """A policy whose chunk is what it is shown last, in all rows."""

    prediction_horizon = 3

    def infer_batch(self, observations, request):
        return np.repeat(observations[:, -1:, None], self.prediction_horizon, axis=1)

    def infer(self, observation, request):
        return self.infer_batch(observation[None], stack_requests([request]))[0]


def halfway(observations, prefix, lengths, seeds):
    """The middle between what is seen, one number, and the goal, the other, plus a draw and the length."""
    drawn = np.array([np.random.default_rng(seed).normal() for seed in seeds])
    return np.stack([observations[:, 0], observations.mean(axis=1) + 0.1 * drawn + lengths], axis=1)


def request(seed, length=0):
    rows = np.zeros((length, 1))
    return Request(0, rows, length, length, 2, rows, np.random.default_rng(seed))


def test_the_policy_is_shown_the_subgoal_in_place_of_the_goal():
    chunk = Subgoals(Aiming(), halfway).infer(np.array([0.0, 4.0]), request(5, length=2))
    seed = np.random.default_rng(5).integers(2**32, dtype=np.uint32)
    np.testing.assert_array_equal(chunk, np.full((3, 1), 2.0 + 0.1 * np.random.default_rng(seed).normal() + 2))


def test_a_row_hangs_on_no_other_row():
    observations = np.array([[0.0, 4.0], [1.0, 2.0], [3.0, 3.0]])
    many = Subgoals(Aiming(), halfway).infer_batch(observations, stack_requests([request(seed) for seed in (1, 2, 3)]))
    for row, seed in enumerate((1, 2, 3)):
        np.testing.assert_array_equal(many[row], Subgoals(Aiming(), halfway).infer(observations[row], request(seed)))


def test_one_sentence_for_what_cannot_choose():
    with pytest.raises(ArgumentError, match="choose=3 cannot be called"):
        Subgoals(Aiming(), 3)
    with pytest.raises(ArgumentError, match="Subgoals"):
        Subgoals(Aiming(), halfway).infer(np.zeros(2), request(0)._replace(rng=None))
