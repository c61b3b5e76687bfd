"""A study that takes milliseconds: a world of one number, and a policy that draws its actions."""

import time
from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from chunkenv.bench.study import Block, Cell, Study
from chunkenv.evaluate import episode_seed
from chunkenv.wrappers import ChunkedExecution

TASKS = ("left", "right")
LONG = 15  # episodes, for runs that are to be killed before their end
METHODS = ("bold", "shy")


class Walk(gym.Env):
    """Add up actions and noise; reaching +-2 ends the episode, with success on the side of the task's name."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, task):
        self.goal = {"left": -2.0, "right": 2.0}[task]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.ticks = 0.0, 0
        return np.array([self.x]), {}

    def step(self, action):
        self.x += float(action[0]) / 2 + self.np_random.normal(scale=0.2)
        self.ticks += 1
        success = bool(self.x / self.goal >= 1)
        return np.array([self.x]), float(success), abs(self.x) >= 2, self.ticks >= 30, {"success": success}


@dataclass
class Guess:
    """Walk anywhere, at random."""

    scale: float

    def infer(self, observation, request):
        return request.rng.uniform(-self.scale, self.scale, (4, 1)).astype(np.float32)


def make_env(cell):
    return ChunkedExecution(Walk(cell.task), cell.prediction_horizon, cell.execution_horizon, latency=cell.delay)


def make_policy(cell):
    return Guess({"bold": 1.0, "shy": 0.3}[cell.method])


def make_slow_policy(cell):
    time.sleep(0.1)
    return make_policy(cell)


def cells(delays=(0, 1)):
    return tuple(Cell(task, method, delay, 2, 4) for task in TASKS for method in METHODS for delay in delays)


def fake_study(episodes=3, seed=0, make_policy=make_policy, **changes):
    fields = {"cells": cells(), "make_env": make_env, "settings": {"noise": 0.2}} | changes
    return Study("fake", make_policy=make_policy, episodes=episodes, seed=seed, **fields)


def play(cell, episodes, seed):
    """Rows by arithmetic: as fast as a study can be, with a column of its own."""
    return [
        {
            "seed": episode_seed(seed, episode),
            "ticks": 30,
            "return": float(episode_seed(seed, episode) % 7),
            "success": (episode + cell.delay) % 3 > 0,
            "underruns": cell.delay,
            "decisions": 15,
            "jerk": None if cell.delay else 0.5,
            "energy": episode / 8,
        }
        for episode in episodes
    ]


def slow_play(cell, episodes, seed):
    time.sleep(0.02)
    return play(cell, episodes, seed)


def block_study(episodes=10, seed=0, batch=4, play=play, **changes):
    fields = {"name": "blocks", "cells": cells(), "results": {"energy": float}} | changes
    return Study(play=play, episodes=episodes, seed=seed, batch=batch, **fields)


def keep(store, unit, row):
    """A row of one unit, as a block."""
    store.keep(Block(unit.cell, (unit.episode,)), [row])
