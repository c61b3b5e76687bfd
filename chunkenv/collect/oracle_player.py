"""An oracle plays a manipulation task, in one of the styles in which data are collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.manipulation.engine.units import N_ACTIONS
from chunkenv.manipulation.oracles.imperfect import Imperfection
from chunkenv.manipulation.oracles.styles import Actor
from chunkenv.manipulation.vector_env import ManipulationVectorEnv
from chunkenv.registration import read_task
from chunkenv.utils.seeding import spawn


class OraclePlayer:
    """Plays episodes of a manipulation task with an oracle, which knows where everything is.

    An episode begins with the task's own reset and ends with success or at the time limit. Noise is part of the action
    that is stored, unlike that of a Kinetix expert.

    Args:
        level: such as "manip-cube-single-task2".
        arguments: of the environment.
        style: one of `chunkenv.manipulation.oracles.styles.STYLES`.
        seed: of the dataset.
        action_noise: the largest standard deviation of the actor's noise; that of the style if None.
        primitives: as `Actor` has them; those of the style if None.
        imperfection: as `Actor` has it; an episode ends, too, once the demonstrator has given up.

    Raises:
        ArgumentError: an invalid argument.
        MissingExtraError: ogbench is not installed.
    """

    def __init__(
        self,
        level: str,
        arguments: Mapping[str, str],
        style: str,
        seed: int,
        action_noise: float | None,
        primitives: str | None = None,
        imperfection: Imperfection | None = None,
    ) -> None:
        in_words = "goals" in arguments
        _, family, task = read_task(level, "goal-conditioned task" if in_words else "manipulation task")
        assert family is not None
        self._seed = seed
        self._make_actor = partial(
            Actor, style, family, action_noise=action_noise, primitives=primitives, imperfection=imperfection
        )
        self._make = partial(
            ManipulationVectorEnv, family, task, threads=1, autoreset_mode=AutoresetMode.DISABLED, **arguments
        )
        self._envs = self._make(num_envs=1)
        self._new_actor(0)  # raises before anything is played

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order, side by side."""
        if self._envs.num_envs != len(numbers):
            self._envs = self._make(num_envs=len(numbers))
        seeds = [episode_seed(self._seed, number) for number in numbers]
        observations, _ = self._envs.reset(seed=seeds)
        episodes = [
            OracleEpisode(self._new_actor(seed), seed, first)
            for seed, first in zip(seeds, _features(observations), strict=True)
        ]
        while running := [index for index, one in enumerate(episodes) if not one.is_over]:
            self._tick(episodes, running)
        return [one.as_data() for one in episodes]

    def _new_actor(self, seed: int) -> Actor:
        return self._make_actor(rng=spawn(seed, "policy"))

    def _tick(self, episodes: list[OracleEpisode], running: list[int]) -> None:
        """One tick of those that are not over."""
        actions, ticks = np.zeros((len(episodes), 1, N_ACTIONS), np.float32), np.zeros(len(episodes), np.int64)
        for index in running:
            actions[index, 0], ticks[index] = episodes[index].actor.act(self._envs.facts(index)), 1
        playback = self._envs.play(actions, ticks)
        features = _features(playback.observations)
        for index in running:
            one = episodes[index]
            one.observations.append(features[index])
            one.actions.append(actions[index, 0])
            one.rewards.append(playback.rewards[index, 0])
            one.terminated, one.truncated = bool(playback.terminated[index]), bool(playback.truncated[index])


def _features(observations: Any) -> np.ndarray:
    """The features of a batch of observations, float32[N, n], without an instruction."""
    return observations["observation"] if isinstance(observations, dict) else observations


class OracleEpisode:
    """An episode under way, and the actor in it."""

    def __init__(self, actor: Actor, seed: int, first: np.ndarray) -> None:
        self.actor, self.seed = actor, seed
        self.observations, self.actions, self.rewards = [first], [], []
        self.terminated = self.truncated = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.terminated or self.truncated or self.actor.gave_up

    def as_data(self) -> Episode:
        """The episode as data; success is what terminates an episode of these tasks."""
        return Episode(
            np.stack(self.observations),
            np.stack(self.actions),
            np.array(self.rewards, np.float32),
            self.terminated,
            self.terminated,
            0,
            self.seed,
        )
