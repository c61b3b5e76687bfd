"""An execution strategy of your own: cross-fading from what is left of the last chunk to the new one.

    python examples/own_strategy.py

Needs `pip install "chunkenv" "gymnasium[classic-control]"`. It runs the contract that a strategy keeps, then measures.
"""

import unittest

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.strategies import Naive, Strategy
from chunkenv.strategies.prefix_weights import request_weights
from chunkenv.strategies.requests import plan_left
from chunkenv.testing import StrategyContract


class CrossFade(Strategy):
    """Row by row a mean of the last chunk, which counts in full where it will run anyway, and the new one.

    `Strategy` asks the policy, answers single requests, hands on `reset()` and reports the policy's `cost`.
    """

    def infer_batch(self, observations, request):
        """The mixed chunks, [N, H, A]."""
        chunks = super().infer_batch(observations, request)
        weights = request_weights(request, chunks.shape[1], "linear")[:, :, None]
        return weights * plan_left(request, *chunks.shape[1:]) + (1 - weights) * chunks


class Restless:
    """A policy that changes its mind with every chunk."""

    def infer(self, observation, request):
        """One random torque, eight times."""
        return np.full((8, 1), request.rng.uniform(-2, 2), np.float32)


def make_env():
    """Pendulum, two ticks late."""
    return chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2, info="full")


class TestCrossFade(StrategyContract, unittest.TestCase):
    """pytest needs no `unittest.TestCase`."""

    def make_policy(self):
        """What is checked."""
        return CrossFade(Restless())

    def make_env(self):
        """Where it is checked."""
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
