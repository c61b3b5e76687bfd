"""Policies that choose horizons and delays keep the contract; those that choose what is not there fail it."""

import functools

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.strategies import stack_requests
from chunkenv.testing import PolicyContract
from tests.testing.failing import expect_failure
from tests.testing.test_policy_contract import ContinuesInBatches

CHOICES = {
    "horizons": dict(execution_horizon=(2, 5), latency=2),
    "delays": dict(execution_horizon=4, delays=(0, 1, 3)),
    "both": dict(execution_horizon=(2, 5), delays=(0, 1, 3)),
}


def make_env(name):
    return ChunkedExecution(gym.make("Pendulum-v1"), 8, **CHOICES[name])


class Chooses(ContinuesInBatches):
    """Thinks as long as a draw says, and is asked again when another does."""

    def budget(self, observation, request):
        return request.delays[int(request.rng.integers(len(request.delays)))]

    def budget_batch(self, observations, request):
        return np.array([request.delays[int(rng.integers(len(request.delays)))] for rng in request.rng])

    def infer(self, observation, request):
        answer = self.infer_batch(np.asarray(observation)[None], stack_requests([request], rows=8))
        return (answer[0][0], int(answer[1][0])) if isinstance(answer, tuple) else answer[0]

    def infer_batch(self, observations, request):
        chunks = super().infer_batch(observations, request)
        if request.horizons is None:
            return chunks
        low, high = request.horizons
        return chunks, np.array([int(rng.integers(low, high + 1)) for rng in request.rng])


def make_policy(name, kind=Chooses):
    return kind(make_env(name).get_wrapper_attr("chunk_space"))


@pytest.mark.parametrize("name", CHOICES)
class TestGoodPolicyThatChooses(PolicyContract):
    @pytest.fixture(autouse=True)
    def _choose(self, name):
        self.make_env = functools.partial(make_env, name)
        self.make_policy = functools.partial(make_policy, name)


class TooLong(Chooses):
    def infer_batch(self, observations, request):
        chunks, horizons = super().infer_batch(observations, request)
        return chunks, horizons + 4


class ThinksTooLong(Chooses):
    def budget(self, observation, request):
        return 2

    def budget_batch(self, observations, request):
        return np.full(len(request.tick), 2)


class HasNoBudget(Chooses):
    budget = budget_batch = None


class ForgetsBudgetsOfBatches(Chooses):
    def budget_batch(self, observations, request):
        return np.zeros(len(request.tick), int)  # draws nothing, where `budget` draws


MEMBERS, BATCHES = "test_chunks_are_members_of_the_chunk_space", "test_a_batch_has_a_chunk_for_each_request"


@pytest.mark.parametrize(
    ("check", "kind", "words"),
    [
        (MEMBERS, TooLong, "expected a whole number from 2 to 5"),
        (BATCHES, TooLong, "expected a whole number from 2 to 5 for each chunk"),
        (MEMBERS, ThinksTooLong, "the budget is 2; expected one of (0, 1, 3)"),
        (BATCHES, ThinksTooLong, "the budget is 2; expected one of (0, 1, 3)"),
        (MEMBERS, HasNoBudget, "HasNoBudget has no budget(observation, request); expected one"),
        (BATCHES, HasNoBudget, "HasNoBudget has no budget_batch(observations, request); expected one"),
        ("test_a_batch_answers_as_one_by_one", ForgetsBudgetsOfBatches, "a row of infer_batch is not what infer"),
    ],
)
def test_a_broken_policy_fails(check, kind, words):
    expect_failure(
        PolicyContract,
        check,
        words,
        make_policy=functools.partial(make_policy, "both", kind),
        make_env=functools.partial(make_env, "both"),
    )
