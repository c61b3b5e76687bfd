"""Replay buffers whose samples carry the discount of each decision: for SAC, TD3, DQN and algorithms like them."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
from stable_baselines3.common.type_aliases import DictReplayBufferSamples, ReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

from chunkenv.errors import ArgumentError
from chunkenv.sb3.discounts import discounts_of
from chunkenv.utils.types import Info, Observation


class ChunkReplayBuffer(ReplayBuffer):
    """A replay buffer for decisions of n control steps: the target becomes reward + discount**n * value.

        SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer)

    The discounts come from `info['discount']` of `ChunkedExecution`: 0 once terminated, discount**n after a truncation,
    which the samples' `dones` leave out as well. An algorithm that reads the `discounts` of its samples (SAC, TD3, DQN
    of Stable-Baselines3 >= 2.7; TQC, QR-DQN and CrossQ of sb3-contrib) ignores its own `gamma` and `n_steps` then.

    Attributes:
        discounts: float32[buffer_size, n_envs].

    Raises:
        ArgumentError: for `optimize_memory_usage=True`, or, by `add`, for an info without 'discount'.
    """

    samples_class: type[ReplayBufferSamples] | type[DictReplayBufferSamples] = ReplayBufferSamples

    def __init__(self, *args: Any, optimize_memory_usage: bool = False, **kwargs: Any) -> None:
        if optimize_memory_usage:
            raise ArgumentError(
                "optimize_memory_usage=True forgets the observations that truncations are bootstrapped from; "
                "leave it out."
            )
        super().__init__(*args, **kwargs)
        self.discounts = np.zeros((self.buffer_size, self.n_envs), np.float32)

    def add(
        self,
        obs: Observation,
        next_obs: Observation,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[Info],
    ) -> None:
        """Store one decision of every environment."""
        self.discounts[self.pos] = discounts_of(infos)
        super().add(obs, next_obs, action, reward, done, infos)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> Any:
        # The base class draws the environments in here without returning which; the same draw keeps its random stream.
        where = batch_inds, np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))  # noqa: NPY002
        column = {name: getattr(self, name)[where].reshape(-1, 1) for name in ("dones", "timeouts", "discounts")}
        return self.samples_class(
            observations=self._select(self.observations, where, env),
            actions=self.to_torch(self.actions[where]),
            next_observations=self._select(self.next_observations, where, env),
            dones=self.to_torch(column["dones"] * (1 - column["timeouts"])),
            rewards=self.to_torch(self._normalize_reward(self.rewards[where].reshape(-1, 1), env)),
            discounts=self.to_torch(column["discounts"]),
        )

    def _select(
        self, stored: Observation, where: tuple[np.ndarray, np.ndarray], env: VecNormalize | None
    ) -> Observation:
        rows = {key: part[where] for key, part in stored.items()} if isinstance(stored, dict) else stored[where]
        rows = self._normalize_obs(rows, env)
        return (
            {key: self.to_torch(part) for key, part in rows.items()} if isinstance(rows, dict) else self.to_torch(rows)
        )


class ChunkDictReplayBuffer(ChunkReplayBuffer, DictReplayBuffer):
    """`ChunkReplayBuffer` for Dict observations.

    SAC("MultiInputPolicy", env, replay_buffer_class=ChunkDictReplayBuffer)
    """

    samples_class = DictReplayBufferSamples
