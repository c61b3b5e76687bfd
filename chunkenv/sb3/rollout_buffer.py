"""Rollout buffers with a discount for each decision: generalised advantages of a semi-MDP."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import DictRolloutBuffer, RolloutBuffer

from chunkenv.errors import ArgumentError
from chunkenv.utils.types import Observation


class ChunkRolloutBuffer(RolloutBuffer):
    """A rollout buffer for decisions of n control steps: discount**n takes the place of gamma.

    With the value v, the reward R of a decision and the discount g = discount**n of its end (0 once terminated), the
    advantage of decision k is (Schulman et al. 2016, arXiv 1506.02438; lambda counts decisions, not control steps)

        delta(k)     = R(k) + g(k) v(k+1) - v(k)
        advantage(k) = delta(k) + g(k) lambda advantage(k+1)

    It is filled by `PerDecisionDiscounts`, the part of `ChunkPPO` and `ChunkA2C` that knows the discounts.

    Attributes:
        discounts: float64[buffer_size, n_envs].

    Raises:
        ArgumentError: when an algorithm without that part fills it.
    """

    discounts: np.ndarray
    _expected: tuple[np.ndarray, np.ndarray] | None = None

    def reset(self) -> None:
        """Empty the buffer."""
        super().reset()
        self.discounts = np.zeros((self.buffer_size, self.n_envs))

    def expect(self, rewards: np.ndarray, discounts: np.ndarray) -> None:
        """What the environments returned for the decisions of the next `add`: rewards [n_envs], discounts [n_envs]."""
        self._expected = np.copy(rewards), np.copy(discounts)

    def add(self, obs: Observation, action: np.ndarray, reward: np.ndarray, *rest: Any, **named: Any) -> None:
        """Store one decision of every environment.

        By now Stable-Baselines3 has added gamma * v to the reward of a truncated one; the rest of discount**n * v is
        added here.
        """
        if self._expected is None:
            raise ArgumentError(
                f"a {type(self).__name__} is filled by an algorithm that does not give it the discounts; load and "
                "train the model with ChunkPPO or ChunkA2C, or a class that inherits PerDecisionDiscounts first."
            )
        (rewards, discounts), self._expected = self._expected, None
        self.discounts[self.pos] = discounts
        excess = (discounts / self.gamma - 1.0).astype(np.float32)
        super().add(obs, action, reward + excess * (reward - rewards), *rest, **named)

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: np.ndarray) -> None:
        """Compute advantages and returns of a full buffer.

        Args:
            last_values: the values after the last decision, [n_envs].
            dones: which environments ended with it, bool[n_envs].
        """
        after = last_values.detach().cpu().numpy().flatten()
        values = np.concatenate([self.values, after[None]])
        goes_on = 1.0 - np.concatenate([self.episode_starts[1:], np.asarray(dones, np.float32)[None]])
        discounts = self.discounts.astype(np.float32)
        decays = (self.discounts * self.gae_lambda).astype(np.float32)
        advantage = np.zeros(self.n_envs, np.float32)
        for step in reversed(range(self.buffer_size)):
            delta = self.rewards[step] + discounts[step] * values[step + 1] * goes_on[step] - values[step]
            advantage = delta + decays[step] * goes_on[step] * advantage
            self.advantages[step] = advantage
        self.returns = self.advantages + self.values


class ChunkDictRolloutBuffer(ChunkRolloutBuffer, DictRolloutBuffer):
    """`ChunkRolloutBuffer` for Dict observations."""


def add_discounts(buffer: RolloutBuffer) -> type[ChunkRolloutBuffer]:
    """Make an algorithm's own buffer a `ChunkRolloutBuffer` too, and return its class.

    Only the algorithm knows what its buffer is made of: the states of RecurrentPPO, say.
    """
    if not isinstance(buffer, ChunkRolloutBuffer):
        buffer.__class__ = _with_discounts(type(buffer))
        buffer.reset()
    return type(buffer)  # pyright: ignore[reportReturnType] (that is what it is by now)


def _with_discounts(kind: type[RolloutBuffer]) -> type[ChunkRolloutBuffer]:
    known = {RolloutBuffer: ChunkRolloutBuffer, DictRolloutBuffer: ChunkDictRolloutBuffer}
    return known.get(kind) or type(f"Chunk{kind.__name__}", (ChunkRolloutBuffer, kind), {})
