"""Small worlds that the tests share."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

ACTIONS = {
    "box": spaces.Box(-1.0, 1.0, (2,), np.float32),
    "scalar box": spaces.Box(-1.0, 1.0, (), np.float32),
    "matrix box": spaces.Box(-1.0, 1.0, (2, 3), np.float64),
    "discrete": spaces.Discrete(3, start=5),
    "multidiscrete": spaces.MultiDiscrete([2, 3]),
    "multibinary": spaces.MultiBinary(3),
    "dict": spaces.Dict({"arm": spaces.Box(-1.0, 1.0, (2,), np.float32), "grip": spaces.Discrete(2)}),
    "tuple": spaces.Tuple((spaces.Box(-1.0, 1.0, (1,), np.float32), spaces.MultiBinary(2))),
    "nested": spaces.Dict({"a": spaces.Tuple((spaces.Discrete(2), spaces.Box(0.0, 1.0, (1,), np.float32)))}),
}


class Recorder(gym.Env):
    """Any action space; keeps every action it was given, checks that it is a member, observes a Dict."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012

    def __init__(self, action_space=ACTIONS["box"], limit=30, render_mode=None):
        self.action_space = action_space
        self.observation_space = spaces.Dict(
            {"tick": spaces.Box(0.0, 1e4, (1,), np.float32), "luck": spaces.Box(0.0, 1.0, (2,), np.float32)}
        )
        self.limit, self.render_mode = limit, render_mode
        self.tick, self.actions = 0, []

    def _observation(self):
        return {"tick": np.array([self.tick], np.float32), "luck": self.np_random.random(2).astype(np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick, self.actions = 0, []
        return self._observation(), {"fresh": True}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.actions.append(action)
        self.tick += 1
        return self._observation(), float(self.np_random.random()), False, self.tick >= self.limit, {"tick": self.tick}

    def render(self):
        return np.full((4, 4, 3), self.tick, np.uint8)


gym.register("tests/Recorder-v0", entry_point="tests.worlds:Recorder")
