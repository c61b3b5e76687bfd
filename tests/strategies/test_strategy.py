"""What all strategies share: they pass on what they are given, and policies without batches work in batches."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution, evaluate
from chunkenv.errors import ActionError, ArgumentError
from chunkenv.strategies import (
    BID,
    RTC,
    BestOf,
    Cost,
    HardMasking,
    Naive,
    Strategy,
    TemporalEnsembling,
    TrainingTimeRTC,
)
from chunkenv.testing import StrategyContract
from tests.strategies.policies import Gaussian, Network, Prefixed, requests
from tests.worlds import ACTIONS, Recorder

STRATEGIES = {
    "naive": lambda: Naive(Gaussian()),
    "temporal ensembling": lambda: TemporalEnsembling(Gaussian()),
    "bid": lambda: BID(Gaussian(), 4),
    "bid with a weak policy": lambda: BID(Gaussian(), 4, weak=Gaussian()),
    "best of 4 of rtc": lambda: BestOf(RTC(Gaussian()), lambda seen, chunks: chunks[:, 0, 0], 4),
    "rtc": lambda: RTC(Gaussian()),
    "rtc around jax": lambda: RTC(NETWORK),
    "hard masking": lambda: HardMasking(Gaussian()),
    "training-time rtc": lambda: TrainingTimeRTC(Prefixed()),
    "ensemble of rtc": lambda: TemporalEnsembling(RTC(Gaussian())),
}
NETWORK = Network()


@pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)
class TestEveryStrategy(StrategyContract):
    decisions = 8

    @pytest.fixture(autouse=True)
    def _choose(self, make):
        self.make_policy = make

    def make_env(self):
        return ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2)


@pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)
def test_it_plays_in_the_evaluation(make):
    rows = evaluate(lambda: ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2), make(), episodes=1, seed=0)
    assert rows[0]["ticks"] == 200


class OneByOne:
    def __init__(self):
        self.asked, self.resets = [], 0

    def infer(self, observation, request):
        self.asked.append((observation, request))
        return np.full((8, 1), observation[0] + request.prefix_length, np.float32)

    def reset(self):
        self.resets += 1


def test_a_policy_without_batches_is_asked_one_by_one():
    policy, left = OneByOne(), np.arange(24.0).reshape(3, 8, 1)
    observations = np.array([[10.0], [20.0], [30.0]])
    chunks = Naive(policy).infer_batch(observations, requests(left, [4, 2, 0], delay=3))
    np.testing.assert_array_equal(chunks[:, 0, 0], [13.0, 22.0, 30.0])
    for index, (_, request) in enumerate(policy.asked):
        np.testing.assert_array_equal(request.left_over, left[index, : [4, 2, 0][index]])
        assert isinstance(request.rng, np.random.Generator)


def test_observations_of_parts_are_asked_one_by_one():
    policy = SimpleNamespace(infer=lambda observation, request: np.full((8, 1), observation["a"].sum()))
    chunks = Naive(policy).infer_batch({"a": np.ones((2, 3))}, requests(np.zeros((2, 8, 1)), [0, 0]))
    np.testing.assert_array_equal(chunks[:, 0, 0], [3.0, 3.0])


def test_naive_hands_on_any_actions():
    env = ChunkedExecution(Recorder(ACTIONS["nested"]), 6, 3, latency=2)
    chunk = env.action_space.sample()
    env.reset(seed=0)
    assert Naive(SimpleNamespace(infer=lambda *_: chunk)).infer(None, env.request) is chunk


def test_a_reset_reaches_the_policy():
    policy = OneByOne()
    TemporalEnsembling(Naive(policy)).reset()
    assert policy.resets == 1
    Naive(Gaussian()).reset()


@pytest.mark.parametrize("kind", [Naive, TemporalEnsembling, BID, RTC, HardMasking, TrainingTimeRTC])
def test_what_is_no_policy_is_refused(kind):
    for wrong, words in ((3, "has no method infer"), (OneByOne, "is a class; give an object of it")):
        with pytest.raises(ArgumentError, match=words):
            kind(wrong)


def test_a_strategy_of_ones_own_needs_one_method():
    class Twice(Strategy):
        needs = ("steps",)

        def infer_batch(self, observations, request):
            return 2 * self.policy.infer_batch(observations, request)

    request = requests(np.zeros((1, 8, 1)), [0])
    assert (Twice(Gaussian()).infer_batch(np.zeros((1, 3)), request) != 0).all()
    assert Twice(Gaussian()).cost == Cost(5, 0, 500)
    with pytest.raises(ArgumentError, match="Twice needs a policy with steps"):
        Twice(OneByOne())


class Learning(Gaussian):
    """Its chunks are tensors that still belong to a training."""

    def infer_batch(self, observations, request):
        torch = pytest.importorskip("torch")
        return torch.tensor(super().infer_batch(observations, request)).requires_grad_()


@pytest.mark.parametrize(
    "make",
    [
        lambda: TemporalEnsembling(Learning()),
        lambda: BID(Learning(), 4),
        lambda: BestOf(Learning(), lambda seen, chunks: chunks[:, 0, 0], 4),
    ],
)
def test_chunks_that_cannot_be_read_are_refused_in_a_sentence(make):
    with pytest.raises(ActionError, match=r"the batch of chunks .* cannot be read .*; expected real numbers"):
        evaluate(lambda: ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2), make(), episodes=1, seed=0)
