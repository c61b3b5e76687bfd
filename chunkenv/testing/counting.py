"""An environment that counts, to check arithmetic with."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.utils.types import Info


class CountingEnv(gym.Env[np.ndarray, np.ndarray]):
    """An environment to check arithmetic with: the observation is the tick, the reward names the action executed.

    Args:
        terminate_at: the tick after which the task has ended; never if None.
        truncate_at: the tick after which a limit cuts it; never if None.
        render_fps: control steps per second; unknown if None.

    >>> env = CountingEnv(terminate_at=2)
    >>> env.reset(), env.step(np.array([7.0], np.float32)), env.step(np.array([8.0], np.float32))[2]
    ((array([0.], dtype=float32), {}), (array([1.], dtype=float32), 7.0, False, False, {}), True)
    """

    def __init__(
        self, terminate_at: int | None = None, truncate_at: int | None = None, render_fps: float | None = None
    ) -> None:
        self.observation_space = spaces.Box(0.0, 1e6, (1,), np.float32)
        self.action_space = spaces.Box(-1e6, 1e6, (1,), np.float32)
        self.metadata = {"render_modes": []} | ({"render_fps": render_fps} if render_fps else {})
        self.terminate_at, self.truncate_at = terminate_at, truncate_at
        self.tick = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Start at tick 0."""
        super().reset(seed=seed)
        self.tick = 0
        return np.array([0.0], np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, Info]:
        """Count one tick; the reward is the action's only number."""
        self.tick += 1
        observation = np.array([self.tick], np.float32)
        return observation, float(action[0]), self.tick == self.terminate_at, self.tick == self.truncate_at, {}
