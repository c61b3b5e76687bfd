"""CartPole in gusts of wind, asked late: the task of assignment 5, of which one latency model solves more than another.

The physics are Gymnasium's CartPole-v1. Here a push may have any strength, and gusts make plans wrong after a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from chunkenv.evaluate import evaluate
from chunkenv.latency import Constant, LatencyModel, Uniform
from chunkenv.request import Policy
from chunkenv.utils.types import AnyEnv, Info
from chunkenv.wrappers import ChunkedExecution

TICK = 0.02
"""Seconds of a tick."""
EPISODE = 200
"""Ticks for which the pole has to stand."""
ROWS, REQUEST_EVERY = 16, 4
"""Rows of a chunk, and ticks from a request to the next, unless its inference takes longer."""
STRONGEST = 10.0
"""Newtons of the strongest push."""
PUBLIC_MODELS: Mapping[str, LatencyModel] = {"constant": Constant(4 * TICK), "uniform": Uniform(TICK, 7 * TICK)}
"""Latency models to try a policy on; the grader has others, of other kinds."""


class WindyCartPole(gym.Wrapper[np.ndarray, np.ndarray, np.ndarray, Any]):
    """CartPole with a push of any strength, and a gust in one of ten ticks.

    It observes the position (m), the speed (m/s), the angle (rad) and the angular speed (rad/s), float32 [4]. A push is
    a Box [1] from -10 to 10 newtons. A gust changes the angular speed by a normal number of standard deviation 0.2. The
    task is solved (`info["success"]`) if after `EPISODE` ticks the pole is within 12 degrees and the cart within 2.4 m.
    """

    GUST_CHANCE, GUST = 0.1, 0.2

    def __init__(self) -> None:
        super().__init__(gym.make("CartPole-v1", max_episode_steps=EPISODE))
        self.action_space = spaces.Box(-STRONGEST, STRONGEST, (1,), np.float32)
        self._cart: Any = self.env.unwrapped

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, Info]:
        """Push for one tick; then a gust may come."""
        push = float(np.clip(action[0], -STRONGEST, STRONGEST))
        self._cart.force_mag = abs(push)
        seen, reward, terminated, truncated, info = self.env.step(int(push > 0))  # type: ignore[arg-type] # Discrete
        if self._cart.np_random.random() < self.GUST_CHANCE:
            x, speed, angle, turning = self._cart.state
            self._cart.state = (x, speed, angle, turning + self.GUST * self._cart.np_random.normal())
            seen = np.array(self._cart.state, np.float32)
        return seen, float(reward), terminated, truncated, info | {"success": truncated and not terminated}


def late_cartpole(latency: LatencyModel) -> AnyEnv:
    """The task with late chunks of 16 rows. `request.delay_estimate` is the delay of the request before, in ticks.

    In a tick without a row the last push goes on.

    Args:
        latency: of an inference.
    """
    return ChunkedExecution(WindyCartPole(), ROWS, REQUEST_EVERY, latency, control_dt=TICK, delay_estimate="last")


def count_solved(
    policy: Policy, models: Mapping[str, LatencyModel], episodes: int, seed: int
) -> dict[str, tuple[int, int]]:
    """How many episodes a policy solves, and of how many, by latency model; the same episodes for every policy.

    Args:
        policy: has `infer(observation, request)`, and may have `reset()`.
        models: by name.
        episodes: of each model, at least 1.
        seed: of all.
    """
    return {name: (_solved(policy, model, episodes, seed), episodes) for name, model in models.items()}


def _solved(policy: Policy, model: LatencyModel, episodes: int, seed: int) -> int:
    rows = evaluate(lambda: late_cartpole(model), policy, episodes, seed)
    return sum(bool(row["success"]) for row in rows)
