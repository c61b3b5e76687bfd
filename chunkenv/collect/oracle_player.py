"""An oracle at play in a manipulation task, in one of the styles in which data is collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.data.environments import family_of
from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.manipulation.engine.engine import N_ACTIONS
from chunkenv.manipulation.oracles.styles import Actor
from chunkenv.manipulation.vector_env import ManipulationVectorEnv
from chunkenv.utils.seeding import spawn


class OraclePlayer:
    """Plays episodes of a manipulation task with an oracle, which sees where everything is.

    An episode begins with the task's own reset and ends with its success, or at its time limit. What an action has of
    noise belongs to it: unlike a Kinetix expert's, it is what is kept.

    Args:
        level: such as "manip-cube-single-task2".
        arguments: of the environment.
        style: one of `chunkenv.manipulation.oracles.styles.STYLES`.
        seed: of the dataset.
        action_noise: the largest standard deviation of the actor's noise; that of the style if None.
        primitives: as `Actor` has them; those of the style if None.

    Raises:
        ArgumentError: an argument that cannot be meant.
        MissingExtraError: ogbench is not installed.
    """

    def __init__(
        self,
        level: str,
        arguments: Mapping[str, Any],
        style: str,
        seed: int,
        action_noise: float | None,
        primitives: str | None = None,
    ) -> None:
        family, task = family_of(level), int(level[-1])
        assert family is not None
        self._seed = seed
        self._make_actor = partial(Actor, style, family, action_noise=action_noise, primitives=primitives)
        self._make = partial(
            ManipulationVectorEnv, family, task, threads=1, autoreset_mode=AutoresetMode.DISABLED, **arguments
        )
        self._envs = self._make(num_envs=1)
        self._actor(0)  # complains before anything is played

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order, side by side."""
        if self._envs.num_envs != len(numbers):
            self._envs = self._make(num_envs=len(numbers))
        seeds = [episode_seed(self._seed, number) for number in numbers]
        observations, _ = self._envs.reset(seed=seeds)
        played = [_Played(self._actor(seed), seed, first) for seed, first in zip(seeds, observations, strict=True)]
        while going := [index for index, one in enumerate(played) if not one.over]:
            self._tick(played, going)
        return [one.episode() for one in played]

    def _actor(self, seed: int) -> Actor:
        return self._make_actor(rng=spawn(seed, "policy"))

    def _tick(self, played: list[_Played], going: list[int]) -> None:
        """One tick of those that are not over."""
        actions, ticks = np.zeros((len(played), 1, N_ACTIONS), np.float32), np.zeros(len(played), np.int64)
        for index in going:
            actions[index, 0], ticks[index] = played[index].actor.act(self._envs.facts(index)), 1
        found = self._envs.play(actions, ticks)
        for index in going:
            one = played[index]
            one.observations.append(found.observations[index])
            one.actions.append(actions[index, 0])
            one.rewards.append(found.rewards[index, 0])
            one.terminated, one.truncated = bool(found.terminated[index]), bool(found.truncated[index])


class _Played:
    """An episode under way, and who acts in it."""

    def __init__(self, actor: Actor, seed: int, first: np.ndarray) -> None:
        self.actor, self.seed = actor, seed
        self.observations, self.actions, self.rewards = [first], [], []
        self.terminated = self.truncated = False

    @property
    def over(self) -> bool:
        return self.terminated or self.truncated

    def episode(self) -> Episode:
        """What it came to; success is what ends an episode of these tasks."""
        return Episode(
            np.stack(self.observations),
            np.stack(self.actions),
            np.array(self.rewards, np.float32),
            self.terminated,
            self.terminated,
            0,
            self.seed,
        )
