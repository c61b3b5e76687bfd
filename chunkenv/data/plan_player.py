"""A planner at play: the actions of its chunks, beside the compact observations that it does not look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.agents.expert import used_channels
from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.kinetix.layout import N_ACTIONS, N_MOTOR_CHANNELS
from chunkenv.kinetix.simulator import Simulator
from chunkenv.streams import spawn
from chunkenv.wrappers.action_noise import ActionNoise
from chunkenv.wrappers.chunked_execution import ChunkedExecution


class PlanPlayer:
    """Plays episodes of a level with a policy that plans chunks from the engine's state.

    A row of the data is the action that was executed at its tick, and what a learner would have observed then. There is
    no delay. What means nothing in a plan is settled before it is executed, so that nobody has to learn it: a thruster
    that would be off anyway gets 0, and so does a channel that drives nothing.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: infers chunks of `prediction_horizon` rows from observation "state"; `chunkenv.agents.planner.Planner`.
        seed: of the dataset.
        action_noise: standard deviation of the noise on the executed actions, per channel and tick.
        execution_horizon: rows of a chunk that are executed.
    """

    def __init__(self, level: str, policy: Any, seed: int, action_noise: float, execution_horizon: int) -> None:
        self._policy, self._seed = policy, seed
        self._simulator = Simulator(level)
        idle = [channel for channel in range(N_ACTIONS) if channel not in used_channels(level)]
        self._low = np.array([-1.0] * N_MOTOR_CHANNELS + [0.0] * (N_ACTIONS - N_MOTOR_CHANNELS), np.float32)
        self._high = np.ones(N_ACTIONS, np.float32)
        self._low[idle] = self._high[idle] = 0.0
        world = gym.make(f"chunkenv/kinetix-{level}-v0", observation="state", disable_env_checker=True)
        noisy = ActionNoise(world, action_noise)
        self._env = ChunkedExecution(noisy, policy.prediction_horizon, execution_horizon, info="full")

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order."""
        return [self._episode(episode_seed(self._seed, number)) for number in numbers]

    def _episode(self, seed: int) -> Episode:
        rng = spawn(seed, "policy")
        self._policy.reset()
        state, info = self._env.reset(seed=seed)
        states, actions, rewards, terminated, truncated = [state], [], [], False, False
        while not (terminated or truncated):
            chunk = self._policy.infer(state, self._env.request._replace(rng=rng))
            state, _, terminated, truncated, info = self._env.step(np.clip(chunk, self._low, self._high))
            states += info["observations"]
            actions += info["actions"]
            rewards += info["rewards"].tolist()
        return Episode(
            self._observed(np.stack(states)),
            np.stack(actions).astype(np.float32),
            np.array(rewards, np.float32),
            terminated,
            bool(info["success"]),
            0,
            seed,
        )

    def _observed(self, states: np.ndarray) -> np.ndarray:
        """The compact observation of each state."""
        idle, none = np.zeros((len(states), 1, N_ACTIONS), np.float32), np.zeros(len(states), np.int64)
        seen = self._simulator.play(states, idle, none, observation="compact").observations
        assert seen is not None
        return seen
