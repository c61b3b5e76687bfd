"""Your own execution strategy: cross-fading from the rest of the last chunk to the new one.

    python examples/own_strategy.py
    chunkenv bench rtc --strategy examples/own_strategy.py:CrossFade --out results/mine   # beside those of the package

Needs `pip install "chunkenv" "gymnasium[classic-control]"`. It runs the contract tests for strategies, then measures.
"""

import unittest

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.strategies import Naive, Strategy, plan_left, request_weights
from chunkenv.testing import StrategyContract


class CrossFade(Strategy):
    """Each row is a weighted mean of the last chunk, with weight 1 where it will run anyway, and the new one.

    `Strategy` calls the policy, answers single requests, forwards `reset()` and reports the policy's `cost`.
    """

    def infer_batch(self, observations, request):
        """The mixed chunks, [N, H, A]."""
        chunks = super().infer_batch(observations, request)
        weights = request_weights(request, chunks.shape[1], "linear")[:, :, None]
        return weights * plan_left(request, *chunks.shape[1:]) + (1 - weights) * chunks


class Restless:
    """A policy whose chunks disagree with one another."""

    def infer(self, observation, request):
        """One random torque in eight rows."""
        return np.full((8, 1), request.rng.uniform(-2, 2), np.float32)


def make_env():
    """Pendulum with an inference delay of two ticks."""
    return chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2, info="full")


class TestCrossFade(StrategyContract, unittest.TestCase):
    """pytest needs no `unittest.TestCase`."""

    def make_policy(self):
        """The strategy to check."""
        return CrossFade(Restless())

    def make_env(self):
        """The environment to check it in."""
        return make_env()


def largest_jump(policy):
    """The largest change of torque from one tick to the next in an episode."""
    env, rng, torques, ended = make_env(), np.random.default_rng(0), [], False
    observation, _ = env.reset(seed=0)
    while not ended:
        chunk = policy.infer(observation, env.request._replace(rng=rng))
        observation, _, terminated, truncated, info = env.step(chunk)
        torques += [float(action[0]) for action in info["actions"]]
        ended = terminated or truncated
    return np.abs(np.diff(torques)).max()


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestCrossFade)
    result = unittest.TestResult()
    suite.run(result)
    print(f"{result.testsRun} checks of the contract, {len(result.failures) + len(result.errors)} failed")
    for name, strategy in {"naive": Naive(Restless()), "cross-fading": CrossFade(Restless())}.items():
        print(f"{name:<12} largest jump of the torque {largest_jump(strategy):.2f}")
