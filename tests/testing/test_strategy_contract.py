"""Good strategies pass their contract; for every check there are broken ones that fail it."""

import unittest
from types import SimpleNamespace

import numpy as np
import pytest

from chunkenv.strategies import Cost, Naive, Strategy
from chunkenv.testing import PolicyContract, StrategyContract
from tests.testing.failing import cases, checks_of, contract_with, expect_failure
from tests.testing.test_policy_contract import ContinuesInBatches, Sampler, pendulum


def policy():
    return ContinuesInBatches(pendulum().action_space)


class Smooth(Strategy):
    """As somebody else might write it: the mean with the chunk before, for each row of a batch."""

    def __init__(self, policy):
        super().__init__(policy)
        self.last = None

    def reset(self):
        super().reset()
        self.last = None

    def infer_batch(self, observations, request):
        chunks = self.policy.infer_batch(observations, request)
        last = chunks if self.last is None else np.where(request.tick[:, None, None] == 0, chunks, self.last)
        self.last = chunks.copy()
        return (chunks + last) / np.float32(2.0)


def without_batches():
    return Naive(Sampler(pendulum().action_space))


@pytest.mark.parametrize("make", [lambda: Smooth(policy()), without_batches], ids=["smooth", "naive"])
class TestGoodStrategy(StrategyContract):
    @pytest.fixture(autouse=True)
    def _choose(self, make):
        self.make_policy = make

    def make_env(self):
        return pendulum()


class AloneOnly:
    cost = Cost(1, 0, None)

    def __init__(self):
        self.inner = policy()

    def infer(self, observation, request):
        return self.inner.infer(observation, request)


class KeepsThePolicysMemory(Smooth):
    def reset(self):
        self.last = None


class SaysAPrice(Smooth):
    cost = 5.0


class CostsHalf(Smooth):
    cost = Cost(1, 0, 0.5)


class CostsNothing(Smooth):
    cost = Cost(0, 0, 0)


class SharesTheMemory(Smooth):
    """One memory for all rows: the first one's."""

    def infer_batch(self, observations, request):
        chunks = super().infer_batch(observations, request)
        self.last = np.repeat(self.last[:1], len(chunks), axis=0)
        return chunks


class NeverBeginsAnew(Smooth):
    def infer_batch(self, observations, request):
        return super().infer_batch(observations, request._replace(tick=request.tick + 1))


class ForgetsItsCost(Smooth):
    """Says what a chunk costs until it has made one."""

    cost = Cost(1, 0, None)

    def infer_batch(self, observations, request):
        self.cost = None
        return super().infer_batch(observations, request)


BROKEN_STRATEGIES = {
    "test_it_answers_batches": [("AloneOnly has no infer_batch(observations, request); expected one.", AloneOnly)],
    "test_it_can_be_reset": [("AloneOnly has no reset(); expected one", AloneOnly)],
    "test_a_reset_reaches_the_policy": [
        ("KeepsThePolicysMemory.reset() did not call its policy's reset()", lambda: KeepsThePolicysMemory(policy()))
    ],
    "test_it_says_what_it_costs": [
        ("cost is None; expected a chunkenv.strategies.Cost", lambda: SimpleNamespace(infer=None)),
        ("cost is 5.0; expected a chunkenv.strategies.Cost", lambda: SaysAPrice(policy())),
        ("flops=0.5); expected whole numbers", lambda: CostsHalf(policy())),
        ("and at least one evaluation", lambda: CostsNothing(policy())),
        ("cost is None; expected a chunkenv", lambda: ForgetsItsCost(policy())),
    ],
}
BROKEN_IN_BATCHES = {
    "test_a_batch_answers_as_one_by_one": [("is not what infer answers", lambda: SharesTheMemory(policy()))],
    "test_the_order_of_a_batch_does_not_matter": [("in another order", lambda: SharesTheMemory(policy()))],
    "test_a_row_that_begins_anew_forgets": [("is left in the row's next one", lambda: NeverBeginsAnew(policy()))],
}


@pytest.mark.parametrize(("check", "words", "make"), cases(BROKEN_STRATEGIES | BROKEN_IN_BATCHES))
def test_a_broken_strategy_fails(check, words, make):
    expect_failure(StrategyContract, check, words, make_policy=make, make_env=pendulum)


def test_every_check_of_its_own_has_something_that_fails_it():
    assert checks_of(StrategyContract) - checks_of(PolicyContract) == set(BROKEN_STRATEGIES)


def test_what_to_override_is_said():
    for check in checks_of(StrategyContract):
        with pytest.raises(NotImplementedError, match=r"Broken must override make_\w+\(\) to return a"):
            getattr(contract_with(StrategyContract), check)()


def test_a_strategy_without_a_policy_is_not_asked_to_reset_it():
    contract = contract_with(StrategyContract, make_policy=AloneOnly, make_env=pendulum)
    with pytest.raises(unittest.SkipTest, match="it has no attribute policy"):
        contract.test_a_reset_reaches_the_policy()
