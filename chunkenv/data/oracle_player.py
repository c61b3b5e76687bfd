"""An oracle at play in a manipulation task, in one of the styles in which data is collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.data.environments import environment_of, family_of
from chunkenv.data.episodes import Episode
from chunkenv.evaluate import episode_seed
from chunkenv.manipulation.oracles.styles import Actor
from chunkenv.streams import spawn


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

    Raises:
        ArgumentError: an argument that cannot be meant.
        MissingExtraError: ogbench is not installed.
    """

    def __init__(
        self, level: str, arguments: Mapping[str, Any], style: str, seed: int, action_noise: float | None
    ) -> None:
        made, family = environment_of({"level": level, "arguments": arguments}), family_of(level)
        assert made is not None
        assert family is not None
        self._family, self._style, self._seed, self._noise = family, style, seed, action_noise
        self._env = gym.make(made.id, disable_env_checker=True, **made.arguments)
        self._actor(0)  # complains before anything is played

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order."""
        return [self._episode(episode_seed(self._seed, number)) for number in numbers]

    def _actor(self, seed: int) -> Actor:
        return Actor(self._style, self._family, spawn(seed, "policy"), self._noise)

    def _episode(self, seed: int) -> Episode:
        actor, world = self._actor(seed), self._env.unwrapped
        observation, info = self._env.reset(seed=seed)
        observations, actions, rewards, terminated, truncated = [observation], [], [], False, False
        while not (terminated or truncated):
            actions.append(actor.act(world.facts()))  # pyright: ignore[reportAttributeAccessIssue]
            observation, reward, terminated, truncated, info = self._env.step(actions[-1])
            observations.append(observation)
            rewards.append(reward)
        return Episode(
            np.stack(observations),
            np.stack(actions),
            np.array(rewards, np.float32),
            terminated,
            bool(info["success"]),
            0,
            seed,
        )
