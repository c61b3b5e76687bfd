"""A planner plays: the actions of its chunks, with the compact observations of the same ticks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import gymnasium as gym
import numpy as np

from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.level import used_channels
from chunkenv.request import Request
from chunkenv.utils.seeding import spawn
from chunkenv.wrappers.action_noise import ActionNoise
from chunkenv.wrappers.chunked_execution import ChunkedExecution


class ChunkPlanner(Protocol):
    """Infers chunks from the engine's state, as `chunkenv.agents.Planner` does."""

    prediction_horizon: int

    def reset(self) -> None:
        """Forget the last episode."""
        ...

    def infer(self, observation: np.ndarray, request: Request) -> np.ndarray:
        """A chunk, float32[H, A]."""
        ...


class PlannerPlayer:
    """Plays episodes of a level with a policy that plans chunks from the engine's state.

    A row of the data is the action that was executed at its tick, and the compact observation before it. There is no
    delay. Channels that drive nothing are set to 0, so that no policy has to learn them. Thrusters stay as planned,
    below 0 too: at 0, the noise would switch one on.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: infers chunks of `prediction_horizon` rows from observation "state", as `Planner` does.
        seed: of the dataset.
        action_noise: standard deviation of the noise on the executed actions, per channel and tick.
        execution_horizon: rows of a chunk that are executed.
    """

    def __init__(
        self, level: str, policy: ChunkPlanner, seed: int, action_noise: float, execution_horizon: int
    ) -> None:
        self._policy, self._seed = policy, seed
        self._simulator = Simulator(level)
        self._used = np.isin(np.arange(N_ACTIONS), used_channels(level)).astype(np.float32)
        env = gym.make(f"chunkenv/kinetix-{level}-v0", observation="state", disable_env_checker=True)
        self._env = ChunkedExecution(
            ActionNoise(env, action_noise), policy.prediction_horizon, execution_horizon, info="full"
        )

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
            state, _, terminated, truncated, info = self._env.step(chunk * self._used)
            states += info["observations"]
            actions += info["actions"]
            rewards += info["rewards"].tolist()
        return Episode(
            self._observe(np.stack(states)),
            np.stack(actions).astype(np.float32),
            np.array(rewards, np.float32),
            terminated,
            bool(info["success"]),
            0,
            seed,
        )

    def _observe(self, states: np.ndarray) -> np.ndarray:
        """The compact observation of each state."""
        idle, none = np.zeros((len(states), 1, N_ACTIONS), np.float32), np.zeros(len(states), np.int64)
        observations = self._simulator.play(states, idle, none, observation="compact").observations
        assert observations is not None
        return observations
