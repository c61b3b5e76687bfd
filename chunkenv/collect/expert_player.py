"""Experts play many episodes side by side; a slot that is free takes the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.collect.experts import ExpertSource
from chunkenv.collect.reproducible_expert import ReproducibleExpert
from chunkenv.data.episodes import Episode
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.registration import TIME_LIMIT
from chunkenv.utils.checks import one_of
from chunkenv.utils.seeding import spawn

FREE = -1
ACTIONS = ("mean", "sampled")
"""What of an expert's Gaussian is played and stored."""


class ExpertPlayer:
    """Plays episodes of a level with experts: one is drawn for each episode.

    The environment gets the expert's action and Gaussian noise, as from `chunkenv.ActionNoise`; the action without
    noise is stored, as in the data of real-time chunking (Black et al. 2025, arXiv 2506.07339): the noise takes the
    expert to states from which its action shows how to recover. The action is the mean of the expert's Gaussian, or,
    as in those data, a sample of it, within the bounds of actions.

    An episode's randomness depends on its seed only, `chunkenv.evaluate.episode_seed(seed, number)`: its expert is
    drawn from the stream "policy", its samples from "exploration", the noise from "action_noise". So neither slots nor
    threads change a row.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        sources: the experts.
        seed: of the dataset.
        action_noise: standard deviation of the noise, per channel and tick.
        slots: how many episodes are played side by side.
        threads: at most how many threads step them.
        actions: one of `ACTIONS`.

    Raises:
        ArgumentError: the actions of an expert without a standard deviation shall be sampled.
    """

    def __init__(
        self,
        level: str,
        sources: Sequence[ExpertSource],
        seed: int,
        action_noise: float,
        slots: int,
        threads: int | None,
        actions: str = "mean",
    ) -> None:
        self._seed, self._samples = seed, one_of("actions", actions, ACTIONS) == "sampled"
        self._stds = [_spread(source) for source in sources] if self._samples else []
        self._envs = KinetixVectorEnv(
            level, slots, "compact", threads=threads, autoreset_mode=AutoresetMode.DISABLED, action_noise=action_noise
        )
        first = self._envs.observe()[0]
        self._experts = [ReproducibleExpert(source, first, N_ACTIONS) for source in sources]
        self._number = np.full(slots, FREE)
        self._ticks = np.zeros(slots, np.int64)
        self._expert = np.zeros(slots, np.int64)
        self._seeds = np.zeros(slots, np.int64)
        self._observations = np.zeros((slots, TIME_LIMIT + 1, len(first)), np.float32)
        self._actions = np.zeros((slots, TIME_LIMIT, N_ACTIONS), np.float32)
        self._rewards = np.zeros((slots, TIME_LIMIT), np.float32)
        self._exploration = np.zeros((slots, TIME_LIMIT, N_ACTIONS), np.float32)

    @property
    def fingerprints(self) -> list[str]:
        """A SHA-256 of each expert."""
        return [expert.fingerprint for expert in self._experts]

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order."""
        waiting, finished = deque(numbers), {}
        self._number[:] = FREE
        self._envs.reset()
        self._refill(waiting)
        while (self._number != FREE).any():
            finished |= self._tick()
            self._refill(waiting)
        return [finished[number] for number in numbers]

    def _refill(self, waiting: deque[int]) -> None:
        """Begin the next episodes in the slots that are free."""
        fresh = np.flatnonzero(self._number == FREE)[: len(waiting)]
        if not fresh.size:
            return
        for slot in fresh.tolist():
            self._begin(slot, waiting.popleft())
        members = np.zeros(len(self._number), bool)
        members[fresh] = True
        observations, _ = self._envs.restart(members, self._seeds.tolist(), None)
        self._observations[fresh, 0] = observations[fresh]

    def _begin(self, slot: int, number: int) -> None:
        """Choose an episode's expert and seed."""
        seed = episode_seed(self._seed, number)
        self._number[slot], self._seeds[slot], self._ticks[slot] = number, seed, 0
        self._expert[slot] = spawn(seed, "policy").integers(len(self._experts))
        if self._samples:
            white = spawn(seed, "exploration").standard_normal((TIME_LIMIT, N_ACTIONS), np.float32)
            self._exploration[slot] = self._stds[self._expert[slot]] * white

    def _tick(self) -> dict[int, Episode]:
        """Play a tick of every episode under way, and return those that ended."""
        slots = np.flatnonzero(self._number != FREE)
        ticks = self._ticks[slots]
        actions = self._act(slots, self._observations[slots, ticks])
        played = np.zeros((len(self._number), 1, N_ACTIONS), np.float32)
        played[slots, 0] = actions
        play = self._envs.play(played, (self._number != FREE).astype(np.int64))
        self._actions[slots, ticks], self._rewards[slots, ticks] = actions, play.rewards[slots, 0]
        self._observations[slots, ticks + 1] = play.observations[slots]
        self._ticks[slots] += 1
        over = np.flatnonzero(play.terminated | play.truncated).tolist()
        return dict(self._end(slot, bool(play.terminated[slot]), bool(play.infos["success"][slot])) for slot in over)

    def _act(self, slots: np.ndarray, observations: np.ndarray) -> np.ndarray:
        """The action of each slot's expert."""
        actions = np.empty((len(slots), N_ACTIONS), np.float32)
        for index in np.unique(self._expert[slots]).tolist():
            own = self._expert[slots] == index
            actions[own] = self._experts[index](observations[own], self._number[slots][own])
        if not self._samples:
            return actions
        return np.clip(actions + self._exploration[slots, self._ticks[slots]], -1, 1)

    def _end(self, slot: int, terminated: bool, success: bool) -> tuple[int, Episode]:
        """The episode of a slot, which is free from now on."""
        number, ticks = int(self._number[slot]), int(self._ticks[slot])
        self._number[slot] = FREE
        return number, Episode(
            self._observations[slot, : ticks + 1].copy(),
            self._actions[slot, :ticks].copy(),
            self._rewards[slot, :ticks].copy(),
            terminated,
            success,
            int(self._expert[slot]),
            int(self._seeds[slot]),
        )


def _spread(source: ExpertSource) -> np.ndarray:
    """The standard deviation of each channel, float32[A]; 0 where the expert drives nothing."""
    std = getattr(source.expert, "std", None)
    if std is None:
        raise ArgumentError(
            f"The expert {source.name} has no standard deviation (std) to sample actions with; take actions='mean', "
            "or train it anew."
        )
    spread = np.zeros(N_ACTIONS, np.float32)
    spread[list(getattr(source.expert, "channels", range(N_ACTIONS)))] = std
    return spread
