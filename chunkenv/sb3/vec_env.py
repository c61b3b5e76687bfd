"""A Gymnasium vector environment where Stable-Baselines3 wants a VecEnv."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from chunkenv.errors import ArgumentError, brief
from chunkenv.sb3.discrete import counts_from_zero
from chunkenv.sb3.env_access import EnvAccess
from chunkenv.utils.infos import split_infos
from chunkenv.utils.spaces import LEAVES
from chunkenv.utils.types import Action, AnySpace, Info, Observation

TRUNCATED = "TimeLimit.truncated"
FINAL = ("final_obs", "final_info")


class SB3VecEnv(VecEnv):
    """Any Gymnasium vector environment with autoreset in the same step, as a VecEnv of Stable-Baselines3.

    `step` returns what VecEnvs of Stable-Baselines3 return: observations [n], float32 rewards [n], `dones` [n], and a
    list of infos, each with 'TimeLimit.truncated' and, at an end, the info of that last step and its
    'terminal_observation'. The info of the reset after an end is in `reset_infos`.

    Args:
        vector_env: with autoreset mode SAME_STEP, actions of Box, Discrete, MultiDiscrete or MultiBinary, and
            observations of these or of a Dict of these.

    Raises:
        ArgumentError: for what is no vector environment, another autoreset mode, or a space that
            Stable-Baselines3 does not know.

    >>> envs = gym.make_vec("CartPole-v1", 2, "sync", vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP})
    >>> env = SB3VecEnv(envs)
    >>> seeds, observations = env.seed(0), env.reset()
    >>> observations, rewards, dones, infos = env.step(np.array([0, 1]))
    >>> rewards, dones, infos[0]
    (array([1., 1.], dtype=float32), array([False, False]), {'TimeLimit.truncated': False})
    """

    def __init__(self, vector_env: VectorEnv) -> None:
        _expect_vector_env(vector_env)
        _expect_spaces(vector_env)
        self.vector_env = vector_env
        self._access = EnvAccess(vector_env)
        self._shares_memory = getattr(vector_env.unwrapped, "copy", True) is False
        self._actions: Action = None
        super().__init__(vector_env.num_envs, vector_env.single_observation_space, vector_env.single_action_space)

    def reset(self) -> Observation:
        """Reset every environment with the seeds of `seed` and the options of `set_options`, each used once.

        Raises:
            ArgumentError: if the options differ between environments, which Gymnasium does not support.
        """
        if any(options != self._options[0] for options in self._options):
            raise ArgumentError(
                f"the options {brief(self._options)} differ between environments; a Gymnasium vector environment "
                "takes one dict for all of them."
            )
        observations, infos = self.vector_env.reset(seed=self._seeds[0], options=self._options[0] or None)
        self.reset_infos = split_infos(infos, self.num_envs)
        self._reset_seeds()
        self._reset_options()
        return self._copy_if_shared(observations)

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions of the next `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Observation, np.ndarray, np.ndarray, list[Info]]:
        """Step every environment; those that end are reset at once."""
        observations, rewards, terminated, truncated, infos = self.vector_env.step(self._actions)
        dones = np.logical_or(terminated, truncated)
        rows = self._rows(infos, dones, np.logical_and(truncated, np.logical_not(terminated)))
        return self._copy_if_shared(observations), np.array(rewards, np.float32), dones, rows

    def close(self) -> None:
        """Close the vector environment."""
        self.vector_env.close()

    def get_images(self) -> Sequence[Any]:
        """A frame of each environment; None for each without `render_mode='rgb_array'`."""
        frames = self.vector_env.render() if self.render_mode == "rgb_array" else None
        return [None] * self.num_envs if frames is None else list(frames)

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """An attribute of some environments (all, if None).

        Raises:
            AttributeError: if they have none of this name.
        """
        return self._access.get(attr_name, self._read_indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Set an attribute of some environments (all, if None).

        Raises:
            ArgumentError: if they can only be reached all at once.
        """
        self._access.set(attr_name, value, self._read_indices(indices))

    def env_method(
        self, method_name: str, *method_args: Any, indices: int | Iterable[int] | None = None, **method_kwargs: Any
    ) -> list[Any]:
        """What a method of some environments (all, if None) returns.

        Raises:
            ArgumentError: if they can only be called all at once, or have no methods of their own.
        """
        return self._access.call(method_name, self._read_indices(indices), method_args, method_kwargs)

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper], indices: int | Iterable[int] | None = None
    ) -> list[bool]:
        """Whether some environments (all, if None) are wrapped, each by itself or all by a vector wrapper.

        What wraps an environment in a worker process is not known here: False.
        """
        return self._access.wrapped_by(wrapper_class, self._read_indices(indices))

    def _read_indices(self, indices: int | Iterable[int] | None) -> list[int]:
        return list(self._get_indices(indices))

    def _copy_if_shared(self, observations: Observation) -> Observation:
        return deepcopy(observations) if self._shares_memory else observations

    def _rows(self, infos: Info, dones: np.ndarray, cut: np.ndarray) -> list[Info]:
        if not dones.any():
            return split_infos({**infos, TRUNCATED: cut}, self.num_envs)
        now = {key: value for key, value in infos.items() if key.lstrip("_") not in FINAL}
        rows = split_infos({**now, TRUNCATED: cut}, self.num_envs)
        self._insert_last_steps(rows, infos, np.flatnonzero(dones))
        return rows

    def _insert_last_steps(self, rows: list[Info], infos: Info, ended: np.ndarray) -> None:
        """An end's row is that of its last step; the reset's goes to `reset_infos`."""
        last = split_infos(infos["final_info"], self.num_envs)
        for index in ended:
            truncated = rows[index].pop(TRUNCATED)
            self.reset_infos[index] = rows[index]
            final = _select(self.observation_space, infos["final_obs"], index)
            rows[index] = {**last[index], TRUNCATED: truncated, "terminal_observation": final}


def _select(space: AnySpace, observations: Observation, index: int) -> Observation:
    """The observation of one environment: of an array of objects, or of a dict of arrays."""
    if isinstance(observations, dict) and isinstance(space, spaces.Dict):
        return {key: observations[key][index] for key in space.spaces}
    return deepcopy(observations[index])


def _expect_vector_env(vector_env: object) -> None:
    if not isinstance(vector_env, VectorEnv):
        raise ArgumentError(
            f"{brief(vector_env)} is no gymnasium.vector.VectorEnv; make one with gymnasium.make_vec, or give a single "
            "environment to Stable-Baselines3 as it is."
        )
    mode = vector_env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise ArgumentError(
            f"{vector_env} has the autoreset mode {getattr(mode, 'name', mode)}; Stable-Baselines3 needs SAME_STEP: "
            'gymnasium.make_vec(id, n, "sync", vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}), or the '
            "argument autoreset_mode of a native vector environment that knows it."
        )


def _expect_spaces(vector_env: VectorEnv) -> None:
    actions, observations = vector_env.single_action_space, vector_env.single_observation_space
    if not isinstance(actions, LEAVES):
        raise ArgumentError(
            f"actions of {brief(actions)} are unknown to Stable-Baselines3; "
            "give it one Box, Discrete, MultiDiscrete or MultiBinary."
        )
    if not (counts_from_zero(actions) and counts_from_zero(observations)):
        raise ArgumentError(
            f"Stable-Baselines3 counts from zero, not as {brief(actions)} and {brief(observations)} do; shift them "
            "with gymnasium.wrappers.TransformAction and TransformObservation, or use make_sb3_env, which does so."
        )
    parts = observations.spaces.values() if isinstance(observations, spaces.Dict) else [observations]
    if not all(isinstance(part, LEAVES) for part in parts):
        raise ArgumentError(
            f"observations of {brief(observations)} are unknown to Stable-Baselines3; "
            "give it one Box, Discrete, MultiDiscrete or MultiBinary, or a Dict of these."
        )
