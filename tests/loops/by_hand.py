"""A world whose values are known, the decisions in it by hand, and the examples as modules.

Every tick pays 1, and an episode has nine ticks. With chunks of four rows and no latency its decisions have 4, 4 and 1
ticks. At a discount of 1/2 per tick their rewards, and what the next value is multiplied by unless the task has ended:
"""

import runpy
from pathlib import Path
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
from gymnasium import spaces

GAMMA = 0.5
TICKS = [4, 4, 1]
REWARDS = [1.875, 1.875, 1.0]
VALUES = {"terminates": [2 - 0.5**8, 2 - 0.5**4, 1.0], "truncates": [2.0, 2.0, 2.0]}
"""At ticks 0, 4 and 8: 1 + 1/2 + 1/4 ..., to the end or without one."""
ONE_GAMMA = {"terminates": [1.875 + 1.1875, 1.875 + 0.5, 1.0], "truncates": [1.875 + 1.4375, 1.875 + 1.0, 2.0]}
"""The same with 1/2 per decision: 1.875 + (1.875 + 1 / 2) / 2, and so on."""
LAST = {"terminates": 0.0, "truncates": 2.0}
"""The value of the state after tick 9."""


class Paid(gym.Env):
    """Observes the tick."""

    observation_space = spaces.Box(0.0, 9.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, ending):
        self.ending, self.tick = ending, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.tick += 1
        ended = {ending: self.tick == 9 and ending == self.ending for ending in VALUES}
        return np.array([self.tick], np.float32), 1.0, ended["terminates"], ended["truncates"], {}


def example(name):
    """What an example defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "examples" / f"{name}.py")))
