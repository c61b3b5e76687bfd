"""A planner at play: the actions of its chunks, beside the compact observations that it does not look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.agents.policies.expert import used_channels
from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.utils.seeding import spawn
from chunkenv.wrappers.action_noise import ActionNoise
from chunkenv.wrappers.chunked_execution import ChunkedExecution


class PlanPlayer:
    """Plays episodes of a level with a policy that plans chunks from the engine's state.

    A row of the data is the action that was executed at its tick, and what a learner would have observed then. There is
    no delay. Channels that drive nothing are set to 0, so that nobody has to learn them. Thrusters stay as planned,
    below 0 too: the noise would switch one on that is put to 0.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: infers chunks of `prediction_horizon` rows from observation "state", as `Planner` does.
        seed: of the dataset.
        action_noise: standard deviation of the noise on the executed actions, per channel and tick.
        execution_horizon: rows of a chunk that are executed.
    """

    def __init__(self, level: str, policy: Any, seed: int, action_noise: float, execution_horizon: int) -> None:
        self._policy, self._seed = policy, seed
        self._simulator = Simulator(level)
        self._used = np.isin(np.arange(N_ACTIONS), used_channels(level)).astype(np.float32)
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
            state, _, terminated, truncated, info = self._env.step(chunk * self._used)
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
