"""A chunked policy plays without delay: the states that it comes to by itself, with what it planned there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.collect.experts import Demonstrator
from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.request import VectorRequest
from chunkenv.utils.batching import Playback
from chunkenv.utils.seeding import spawn
from chunkenv.vector.corrected_play import CorrectedPlay
from chunkenv.wrappers.corrections import Correction

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
    episode depends on the policy, the leader, the dataset's seed and its number: the policy draws from the stream
    "policy".

    With a leader every second episode, those of odd numbers, goes another way: the policy plans, and what it planned is
    kept, but the environment gets the leader's action in each tick. So there are also states to which a policy comes
    that is corrected to act like the leader.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: infers chunks from compact observations.
        seed: of the dataset.
        action_noise: standard deviation of the noise, per channel and tick.
        leader: an expert of the level; None for the policy's own way in all episodes.
    """

    def __init__(
        self, level: str, policy: ChunkSampler, seed: int, action_noise: float, leader: Demonstrator | None = None
    ) -> None:
        self._policy, self._seed = policy, seed
        self._envs = KinetixVectorEnv(
            level, SLOTS, "compact", autoreset_mode=AutoresetMode.DISABLED, action_noise=action_noise
        )
        self._led = None if leader is None else _follow(leader, self._envs)

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
            play = self._play(chunks, np.where(going, rows, 0), numbers)
            for slot in np.flatnonzero(going).tolist():
                runs[slot].add(chunks[slot], play, slot)
            observations, tick = play.observations, tick + rows
            going &= ~(play.terminated | play.truncated)
        return [run.episode() for run in runs]

    def _play(self, chunks: np.ndarray, ticks: np.ndarray, numbers: Sequence[int]) -> Playback:
        """Play chunks, or, in episodes that are led, what the leader does instead."""
        if self._led is None:
            return self._envs.play(chunks, ticks, every_tick=True)
        odd = np.resize(np.asarray(numbers), SLOTS) % 2 == 1
        rows = np.where(odd[:, None], np.arange(chunks.shape[1]), -1)
        play, _ = self._led.play(chunks, ticks, rows, np.zeros(SLOTS, np.int64), every_tick=True)
        return play


def _follow(leader: Demonstrator, envs: KinetixVectorEnv) -> CorrectedPlay:
    """What plays the leader's action wherever a row has a number."""

    def correct(observation: np.ndarray, row: np.ndarray, *_: object) -> np.ndarray:
        return leader.actions(observation[None])[0] - row

    correction = Correction(correct, envs.single_action_space)
    return CorrectedPlay(correction, envs, envs.observation_space, [0] * SLOTS, holds=False)


class _UnfinishedEpisode:
    """An episode as it grows."""

    def __init__(self, seed: int, first: np.ndarray) -> None:
        self._seed, self._observations = seed, [first]
        self._actions: list[np.ndarray] = []
        self._rewards: list[np.ndarray] = []
        self._terminated = self._success = False

    def add(self, chunk: np.ndarray, play: Playback, slot: int) -> None:
        """What was played of a chunk in a slot."""
        assert play.seen is not None
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
