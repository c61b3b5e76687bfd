"""How often an expert solves its level: first episodes under action noise, played by the one evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.agents.policies.expert import Expert
from chunkenv.evaluate import evaluate_batch
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.registration import ACTION_NOISE
from chunkenv.request import VectorRequest
from chunkenv.utils.checks import real_number, whole_number
from chunkenv.vector import ChunkedVectorExecution

SLOTS = 256
"""Episodes that are played side by side."""


@dataclass(frozen=True)
class ExpertPolicy:
    """An expert as a policy of chunks of one action."""

    expert: Expert

    def infer_batch(self, observations: np.ndarray, request: VectorRequest) -> np.ndarray:
        """The expert's actions, float32[N, 1, 6]."""
        return self.expert.actions(observations)[:, None]


def solved_episodes(expert: Expert, episodes: int, seed: int, action_noise: float = ACTION_NOISE) -> np.ndarray:
    """Which episodes an expert solves, bool[episodes]: green touched blue before red and before the time was up.

    An inference a tick, without delay, as in the released evaluation of real-time-chunking-kinetix. The engine clips
    actions after the Gaussian noise is added; episode i and its noise are the same for any number of episodes.

    Args:
        expert: acts without noise of its own.
        episodes: at least 1.
        seed: of the noise, at least 0.
        action_noise: its standard deviation.

    Raises:
        ArgumentError: for an invalid argument.
    """
    count = whole_number("episodes", episodes, at_least=1)
    std = real_number("action_noise", action_noise, at_least=0.0)

    def make_envs(slots: int) -> ChunkedVectorExecution:
        mode = AutoresetMode.DISABLED
        envs = KinetixVectorEnv(expert.level, slots, expert.observation, autoreset_mode=mode, action_noise=std)
        return ChunkedVectorExecution(envs, prediction_horizon=1)

    rows = evaluate_batch(make_envs, ExpertPolicy(expert), count, seed, slots=min(count, SLOTS))
    return np.array([row["success"] for row in rows])
