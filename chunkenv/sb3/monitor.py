"""Episodes counted in control steps and undiscounted reward, for chunks of any length."""

from __future__ import annotations

import time
from operator import itemgetter
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from chunkenv.sb3.monitor_file import open_log
from chunkenv.sb3.stock_check import StockCheck
from chunkenv.utils.types import Action, AnyEnv, Info, Observation

RETURN = "episode_return"
_RETURN, _TICKS = itemgetter(RETURN), itemgetter("ticks")  # a third faster than a comprehension, at every decision


class UndiscountedReturn(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Puts the undiscounted sum of the rewards since the reset into `info`, as 'episode_return'.

    It goes inside chunking, where a step is a control step; a decision's reward is already discounted.

    Args:
        env: any Gymnasium environment.

    >>> env = UndiscountedReturn(gym.make("CartPole-v1"))
    >>> observation, info = env.reset(seed=0)
    >>> [env.step(1)[4] for _ in range(2)]
    [{'episode_return': 1.0}, {'episode_return': 2.0}]
    """

    def __init__(self, env: AnyEnv) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Start an episode with nothing summed."""
        self._sum = 0.0
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Action) -> tuple[Observation, SupportsFloat, bool, bool, Info]:
        """One control step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._sum += float(reward)
        return observation, reward, terminated, truncated, {**info, RETURN: self._sum}


class ChunkVecMonitor(VecMonitor):
    """Stable-Baselines3's monitor, for chunks.

    `info['episode']` of an end has

        r    the undiscounted return
        l    its length in control steps
        t    seconds since the environment was made

    Args:
        venv: a VecEnv whose infos have 'ticks' and 'episode_return', such as `make_sb3_env` makes.
        filename: where to log the episodes; nowhere if None.
        append: True goes on with the file, if there is one, and counts 't' from its start.

    Raises:
        ArgumentError: to go on with a file that no monitor wrote.

    Warns:
        WrongDiscountWarning: once, if an algorithm discounts decisions by another factor than their environment.
    """

    def __init__(self, venv: VecEnv, filename: str | None = None, append: bool = False) -> None:
        begun = open_log(filename) if filename and append else None
        super().__init__(venv, None if begun else filename)
        if begun:
            self.t_start, self.results_writer = begun
        self._stock_check = StockCheck()
        self.reset_counts()

    def reset_counts(self) -> None:
        """Forget the episodes under way."""
        self.episode_returns = np.zeros(self.num_envs)
        self.episode_lengths = np.zeros(self.num_envs, np.int64)

    def reset(self) -> Observation:
        """Reset every environment."""
        observations = self.venv.reset()
        self.reset_counts()
        self._stock_check.reset()
        return observations

    def step_wait(self) -> tuple[Observation, np.ndarray, np.ndarray, list[Info]]:
        """Count one decision of every environment."""
        observations, rewards, dones, infos = self.venv.step_wait()
        self._stock_check.check(infos)
        self.episode_lengths += np.fromiter(map(_TICKS, infos), np.int64, self.num_envs)
        self.episode_returns = self._read_returns(infos)
        for index in np.flatnonzero(dones):
            infos[index]["episode"] = self._finish(int(index))
        return observations, rewards, dones, infos

    def _read_returns(self, infos: list[Info]) -> np.ndarray:
        """What each episode paid so far; a decision that was stopped before its first tick has no return, adds none."""
        try:
            return np.fromiter(map(_RETURN, infos), np.float64, self.num_envs)
        except KeyError:
            before = self.episode_returns.tolist()
            return np.array([info.get(RETURN, total) for info, total in zip(infos, before, strict=True)])

    def _finish(self, index: int) -> dict[str, float]:
        episode = {
            "r": round(float(self.episode_returns[index]), 6),
            "l": int(self.episode_lengths[index]),
            "t": round(time.time() - self.t_start, 6),
        }
        self.episode_count += 1
        self.episode_returns[index], self.episode_lengths[index] = 0.0, 0
        if self.results_writer:
            self.results_writer.write_row(episode)
        return episode
