"""Small environments of the assignments, in which the right answers are known or found in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.latency import LatencyModel, Uniform
from chunkenv.utils.types import AnyEnv, Info
from chunkenv.wrappers import ActionDelay

EPISODE = 40
"""Ticks of an episode on the slope."""
TICK = 0.1
"""Seconds of a tick on the slope."""
LONGEST = 3
"""Ticks that a push is late at most."""


class PayingChain(gym.Env[np.ndarray, np.ndarray]):
    """States in a row: tick t leads from state t to state t + 1 and pays `pays[t]`, whatever the action is.

    It observes the number of the state, float32 [1]. Actions are a Box from -1 to 1.

    Args:
        pays: the reward of every tick of an episode, at least one.
        terminates: whether the last tick ends the task (terminated) or is a limit of time (truncated).
        actions: numbers of an action.
    """

    def __init__(self, pays: Sequence[float], terminates: bool = True, actions: int = 1) -> None:
        self.pays, self.terminates = tuple(pays), terminates
        self.observation_space = spaces.Box(0.0, float(len(self.pays)), (1,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (actions,), np.float32)
        self.state = 0

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[np.ndarray, Info]:
        """Begin in state 0."""
        super().reset(seed=seed)
        self.state = 0
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, Info]:
        """One state on."""
        reward = float(self.pays[self.state])
        self.state += 1
        over = self.state == len(self.pays)
        return self._seen(), reward, over and self.terminates, over and not self.terminates, {}

    def _seen(self) -> np.ndarray:
        return np.array([self.state], np.float32)


class Slope(gym.Env[np.ndarray, np.ndarray]):
    """A ball on a hill that rolls away from the top: x becomes 1.2 x + push + noise, and pays -(x**2 + 0.1 push**2).

    It observes x, float32 [1], from -4 to 4, where walls stand. A push is a Box [1] from -2 to 2. The noise has a
    standard deviation of 0.1; x begins evenly between -1 and 1. An episode is cut after `EPISODE` ticks.
    """

    GROWTH, EFFORT, NOISE, WALL, STRONGEST = 1.2, 0.1, 0.1, 4.0, 2.0

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-self.WALL, self.WALL, (1,), np.float32)
        self.action_space = spaces.Box(-self.STRONGEST, self.STRONGEST, (1,), np.float32)
        self.x, self.tick = 0.0, 0

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[np.ndarray, Info]:
        """Put the ball near the top."""
        super().reset(seed=seed)
        self.x, self.tick = float(self.np_random.uniform(-1.0, 1.0)), 0
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, Info]:
        """Push, and let the ball roll for one tick."""
        push = float(np.clip(action[0], -self.STRONGEST, self.STRONGEST))
        rolled = self.GROWTH * self.x + push + self.NOISE * float(self.np_random.normal())
        self.x = min(max(rolled, -self.WALL), self.WALL)
        self.tick += 1
        return self._seen(), -(self.x**2 + self.EFFORT * push**2), False, self.tick == EPISODE, {}

    def _seen(self) -> np.ndarray:
        return np.array([self.x], np.float32)


@dataclass(frozen=True)
class InOrder(LatencyModel):
    """Latencies that are known in advance: the first of an episode is `seconds[0]`, and so on, then from the beginning.

    Args:
        seconds: at least one.
    """

    seconds: tuple[float, ...]

    def begin(self, rng: np.random.Generator) -> int:
        """The number of the next draw."""
        return 0

    def draw(self, rng: np.random.Generator, state: int) -> tuple[float, int]:
        """The next one."""
        return self.seconds[state % len(self.seconds)], state + 1


def late_slope(observe: bool) -> AnyEnv:
    """The slope, with pushes that arrive 1, 2 or 3 ticks late, each as likely, and an observation of one row.

    Args:
        observe: whether the age of the acting push and the last 3 pushes sent, oldest first, stand in the observation:
            [age, x, sent, sent, sent] instead of [x].
    """
    env = ActionDelay(Slope(), Uniform(0.0, LONGEST * TICK), control_dt=TICK, observe=LONGEST if observe else False)
    return gym.wrappers.FlattenObservation(env)


def returns_on_slope(weights: Sequence[float], observe: bool, episodes: int, seed: int) -> np.ndarray:
    """Returns of a linear controller on the late slope, [episodes]; the same episodes for every controller.

    Args:
        weights: one for each number that `late_slope(observe)` shows, then a constant that is added.
        observe: as `late_slope`.
        episodes: how many, at least 1.
        seed: of the first; the next has seed + 1, and so on.
    """
    env, gains = late_slope(observe), np.asarray(weights, float)
    return np.array([_return_of(env, gains, seed + episode) for episode in range(episodes)])


def _return_of(env: AnyEnv, gains: np.ndarray, seed: int) -> float:
    (seen, _), total, ended = env.reset(seed=seed), 0.0, False
    while not ended:
        push = np.clip(seen @ gains[:-1] + gains[-1], -Slope.STRONGEST, Slope.STRONGEST)
        seen, reward, terminated, truncated, _ = env.step(np.array([push], np.float32))
        total, ended = total + float(reward), terminated or truncated
    return total
