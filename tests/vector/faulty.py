"""An environment that fails on demand, for tests of vector environments."""

import os
import signal
import time

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv import ChunkedExecution


class Faulty(gym.Env):
    """Random observations and rewards, episodes of some ticks, and a fault at one tick of the first episode."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012

    def __init__(self, fault=None, at=0, limit=30, width=3):
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Dict({"x": spaces.Box(-10.0, 10.0, (width,)), "n": spaces.Discrete(10**9)})
        self.fault, self.at, self.limit, self.tick = fault, at, limit, -1
        self.extra = {}
        self.render_mode = "rgb_array"
        if at == "made":
            self.fail()

    def observe(self):
        return {"x": self.np_random.random(3).astype(np.float32), "n": self.tick}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if self.at == "reset":
            self.fail()
        self.tick = 0
        return self.observe(), {"options": str(options or {})}

    def step(self, action):
        self.tick += 1
        observation, reward = self.observe(), float(self.np_random.random() + action[0])
        if self.tick == self.at:
            observation, reward = self.fail() or (observation, reward)
        return observation, reward, False, self.tick >= self.limit, {"tick": self.tick} | self.extra

    def fail(self):
        match self.fault:
            case "raise":
                raise ZeroDivisionError("one by none")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "leave":
                os._exit(3)
            case "hang":
                time.sleep(1000)
            case "nan reward":
                return self.observe(), np.nan
            case "nan observation":
                return {"x": np.array([0.0, np.nan, 0.0], np.float32), "n": self.tick}, 0.0
            case "opaque":
                self.extra = {"function": lambda: 0}
            case "absent":
                self.extra = {"stranger": Stranger()}
            case "closed":
                os.closerange(3, 100)
            case "mute":
                os.closerange(3, 100)
                time.sleep(1000)
            case "secret":
                raise Secret(lambda: 0)

    def pid(self):
        return os.getpid()

    def render(self):
        return np.full((2, 2, 3), self.tick, np.uint8)


class Secret(Exception):
    """Cannot be pickled."""


def chunked(**options):
    return ChunkedExecution(Faulty(**options), prediction_horizon=6, execution_horizon=4, latency=2)


class Stranger:
    """Can be sent, but not be read."""

    def __reduce__(self):
        return (int, ("no number",))
