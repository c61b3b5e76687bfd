"""Worlds whose every number is known in advance."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from tests.worlds import ACTIONS


class Line(gym.Env):
    """Pays `pays[tick]`; observes the tick; ends at tick `end`, as the task or as a limit."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012

    def __init__(self, end=5, terminates=True, pays=None, action_space=ACTIONS["box"], render_mode=None):
        self.end, self.terminates, self.render_mode = end, terminates, render_mode
        self.pays = pays or [float(2**tick) for tick in range(end)]
        self.observation_space = spaces.Box(0.0, 1e4, (1,), np.float32)
        self.action_space = action_space
        self.tick = self.episodes = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick = 0
        self.episodes += 1
        self.options = options
        return np.zeros(1, np.float32), {"episode_number": self.episodes}

    def step(self, action):
        reward = self.pays[self.tick]
        self.tick += 1
        ended = self.tick == self.end
        seen = np.array([self.tick], np.float32)
        return seen, reward, ended and self.terminates, ended and not self.terminates, {"tick": self.tick}

    def render(self):
        return np.full((4, 4, 3), self.tick, np.uint8)

    def twice(self, number):
        return 2 * number


class DictLine(Line):
    """The same, seen as a Dict."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.observation_space = spaces.Dict({"at": self.observation_space, "odd": spaces.Discrete(2)})

    def reset(self, **arguments):
        seen, info = super().reset(**arguments)
        return self._both(seen), info

    def step(self, action):
        seen, *rest = super().step(action)
        return self._both(seen), *rest

    def _both(self, seen):
        return {"at": seen, "odd": np.int64(self.tick % 2)}
