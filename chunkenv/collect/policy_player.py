"""A chunked policy plays without delay: the states that it comes to by itself, with what it planned there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.request import VectorRequest
from chunkenv.utils.seeding import spawn

SLOTS = 256
"""Episodes side by side, always: the last bits of a chunk may depend on how many there are."""


class ChunkSampler(Protocol):
    """Infers chunks from compact observations, as `chunkenv.agents.FlowPolicy` does.

    Attributes:
        prediction_horizon: rows in a chunk, H.
    """

    prediction_horizon: int

    def infer_batch(self, observations: np.ndarray, request: VectorRequest) -> np.ndarray:
        """Chunks, float32[N, H, A]."""
        ...


class PolicyPlayer:
    """Plays episodes of a level with a policy, each of whose chunks is executed to its last row, without delay.

    So the action of an episode's tick t is row t % H of a chunk, as planned; the environment gets noise on top. An
    episode depends on the policy, the dataset's seed and its number: the policy draws from the stream "policy".

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: infers chunks from compact observations.
        seed: of the dataset.
        action_noise: standard deviation of the noise, per channel and tick.
    """

    def __init__(self, level: str, policy: ChunkSampler, seed: int, action_noise: float) -> None:
        self._policy, self._seed = policy, seed
        self._envs = KinetixVectorEnv(
            level, SLOTS, "compact", autoreset_mode=AutoresetMode.DISABLED, action_noise=action_noise
        )

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, at most `SLOTS`, in this order."""
        seeds = [episode_seed(self._seed, number) for number in numbers]
        observations, _ = self._envs.reset(seed=seeds + [0] * (SLOTS - len(seeds)))
        runs = [_UnfinishedEpisode(seed, first) for seed, first in zip(seeds, observations.copy(), strict=False)]
        streams = tuple(spawn(seed, "policy") for seed in seeds + [0] * (SLOTS - len(seeds)))
        rows, tick = self._policy.prediction_horizon, 0
        going = np.arange(SLOTS) < len(seeds)
        while going.any():
            chunks = np.asarray(self._policy.infer_batch(observations, _free_request(tick, rows, streams)), np.float32)
            play = self._envs.play(chunks, np.where(going, rows, 0), every_tick=True)
            for slot in np.flatnonzero(going).tolist():
                runs[slot].add(chunks[slot], play, slot)
            observations, tick = play.observations, tick + rows
            going &= ~(play.terminated | play.truncated)
        return [run.episode() for run in runs]


class _UnfinishedEpisode:
    """An episode as it grows."""

    def __init__(self, seed: int, first: np.ndarray) -> None:
        self._seed, self._observations = seed, [first]
        self._actions: list[np.ndarray] = []
        self._rewards: list[np.ndarray] = []
        self._terminated = self._success = False

    def add(self, chunk: np.ndarray, play: Any, slot: int) -> None:
        """What was played of a chunk in a slot."""
        ticks = int(play.ticks[slot])
        self._observations += play.seen[slot]
        self._actions.append(chunk[:ticks])
        self._rewards.append(play.rewards[slot, :ticks])
        self._terminated, self._success = bool(play.terminated[slot]), bool(play.infos["success"][slot])

    def episode(self) -> Episode:
        """The whole of it."""
        rewards = np.concatenate(self._rewards).astype(np.float32)
        observations, actions = np.stack(self._observations), np.concatenate(self._actions)
        return Episode(observations, actions, rewards, self._terminated, self._success, 0, self._seed)


def _free_request(tick: int, rows: int, streams: tuple[np.random.Generator, ...]) -> VectorRequest:
    """A request that is answered at once, with nothing left of the last chunk."""
    count, plan = np.zeros(SLOTS, np.int64), np.zeros((SLOTS, rows, N_ACTIONS), np.float32)
    return VectorRequest(
        tick=count + tick,
        prefix=plan,
        prefix_length=count,
        delay_estimate=count,
        execution_horizon=rows,
        left_over=plan,
        left_over_length=count,
        rng=streams,
    )
