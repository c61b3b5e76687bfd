"""What the tests of the delay and noise wrappers share: a world with a script, and latencies from a list."""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence

from chunkenv.latency import LatencyModel


class Script(gym.Env):
    """Observes its tick, pays the rewards that it is given, and ends with the last one; it must not be stepped then."""

    metadata = {"render_modes": [], "render_fps": 1}  # noqa: RUF012

    def __init__(self, rewards, end="terminated", action_space=None):
        self.observation_space = spaces.Box(0.0, 1e6, (1,), np.float32)
        self.action_space = action_space or spaces.Box(-100.0, 100.0, (), np.float32)
        self.rewards, self.end = rewards, end
        self.tick, self.actions = 0, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick, self.actions = 0, []
        return np.array([0], np.float32), {"made": 0}

    def step(self, action):
        assert self.tick < len(self.rewards), "stepped after the end"
        self.actions.append(action)
        self.tick += 1
        over = self.tick == len(self.rewards)
        reward = self.rewards[self.tick - 1]
        observation = np.array([self.tick], np.float32)
        return (
            observation,
            reward,
            over and self.end != "truncated",
            over and self.end != "terminated",
            {"made": self.tick},
        )


@dataclass(frozen=True)
class Listed(LatencyModel):
    """Latencies from a list, in its order, and round its end."""

    seconds: tuple

    def begin(self, rng):
        return 0

    def draw(self, rng, state):
        return self.seconds[state % len(self.seconds)], state + 1


@dataclass(frozen=True)
class FailsOnce(LatencyModel):
    """Draws a negative latency at its first draw of all, and no latency afterwards."""

    failed: list

    def draw(self, rng, state):
        if not self.failed:
            self.failed.append(True)
            return -1.0, state
        return 0.0, state


def listed(*delays):
    """Delays in ticks for a world with a tick of one second."""
    return Listed(tuple(float(delay) for delay in delays))


def assert_same(expected, got):
    """Equal to the bit, in types, dtypes and nesting."""
    assert data_equivalence(expected, got, exact=True), f"{expected!r} != {got!r}"
