"""The examples of policies and strategies keep their contracts, and show what they say."""

import runpy
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution, evaluate
from chunkenv.strategies import RTC, Naive
from chunkenv.testing import PolicyContract, StrategyContract

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def pendulum(latency=2):
    return ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=latency)


POLICY, STRATEGY = load("own_policy"), load("own_strategy")


class TestOwnPolicy(PolicyContract):
    decisions = 8

    def make_policy(self):
        return POLICY["Swing"]()

    def make_env(self):
        return pendulum()


class TestOwnStrategy(StrategyContract):
    decisions = 8

    def make_policy(self):
        return STRATEGY["CrossFade"](STRATEGY["Restless"]())

    def make_env(self):
        return pendulum()


def test_own_policy_is_short_and_needs_numpy_only():
    lines = (EXAMPLES / "own_policy.py").read_text().splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("class"))
    last = next(index for index, line in enumerate(lines) if line.startswith("def mean_return"))
    assert last - first <= 32
    assert {line.split()[1] for line in lines if line.startswith("import")} == {"gymnasium", "numpy", "chunkenv"}


@pytest.mark.parametrize(("delay", "matters"), [(2, False), (3, True), (4, True)])
def test_looking_ahead_through_the_prefix_helps_from_three_ticks_on(delay, matters):
    ahead, naive = (POLICY["mean_return"](POLICY["Swing"](looks_ahead), delay) for looks_ahead in (True, False))
    assert (ahead > naive + 50) == matters


def test_cross_fading_smooths():
    restless = STRATEGY["Restless"]()
    assert STRATEGY["largest_jump"](STRATEGY["CrossFade"](restless)) < 0.5 * STRATEGY["largest_jump"](Naive(restless))


@pytest.fixture(scope="module")
def torch_example():
    pytest.importorskip("torch")
    return load("torch_flow_policy")


class TestTorchPolicy(PolicyContract):
    decisions = 5

    @pytest.fixture(autouse=True)
    def _choose(self, torch_example):
        self.make_policy = torch_example["TorchFlow"]
        self.make_env = torch_example["make_env"]


class TestTorchPolicyInRTC(TestTorchPolicy, StrategyContract):
    @pytest.fixture(autouse=True)
    def _choose(self, torch_example):
        self.make_policy = lambda: RTC(torch_example["TorchFlow"]())
        self.make_env = torch_example["make_env"]


def test_the_torch_pullback_is_the_transposed_jacobian(torch_example):
    import torch

    policy = torch_example["TorchFlow"]()
    observations, chunks, cotangent = torch.randn(3, 2), torch.randn(3, 8, 1), torch.randn(3, 8, 1)
    _, pullback = policy.velocity_vjp(observations, chunks, 0.4)
    direction, step = torch.randn(3, 8, 1), 1e-2
    with torch.no_grad():
        up, down = (policy.velocity(observations, chunks + sign * step * direction, 0.4) for sign in (1, -1))
    slope = (cotangent * (up - down)).sum() / (2 * step)
    assert float((pullback(cotangent) * direction).sum()) == pytest.approx(float(slope), rel=1e-2, abs=1e-3)


@pytest.mark.no_cover
def test_guided_it_makes_up_its_mind(torch_example):
    policy = torch_example["train"](torch_example["TorchFlow"]())
    solved, jumps = [], []
    for strategy in (Naive(policy), RTC(policy)):
        rows = evaluate(torch_example["make_env"], strategy, episodes=40, seed=0)
        solved.append(np.mean([row["success"] for row in rows]))
        jumps.append(torch_example["jump"](strategy))
    assert solved[1] > solved[0] + 0.1
    assert jumps[1] < 0.5 * jumps[0]
