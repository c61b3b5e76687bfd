"""A world that can be predicted by hand, and policies for it."""

import gymnasium as gym
import numpy as np


class LinearWorld(gym.Env):
    """The observation is the state x, two numbers; x becomes 0.9 x + action + noise."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Box(-99, 99, (2,), np.float32)

    def __init__(self, noise=0.0):
        self.noise = noise

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = np.array([1.0, -2.0])
        return self.x.copy(), {}

    def step(self, action):
        self.x = 0.9 * self.x + action + self.noise * self.np_random.normal(size=2)
        return self.x.copy(), float(self.x[0]), False, False, {}


class LinearModel:
    """That world without its noise."""

    def predict(self, observations, prefix, prefix_length):
        x = np.array(observations)
        for row in range(int(prefix_length.max(initial=0))):
            x = np.where(row < prefix_length[:, None], 0.9 * x + np.asarray(prefix)[:, row], x)
        return x
