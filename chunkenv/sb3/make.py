"""Chunked, delayed environments as Stable-Baselines3 takes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from chunkenv.checks import true_or_false, whole_number
from chunkenv.errors import ArgumentError, brief
from chunkenv.sb3.monitor import ChunkVecMonitor, UndiscountedReturn
from chunkenv.sb3.numbered import NumberedChunk
from chunkenv.wrappers import ChunkedExecution, FlattenChunk


def make_sb3_env(
    id_or_env_fn: str | Callable[[], gym.Env],
    n_envs: int = 1,
    *,
    prediction_horizon: int,
    latency: Any = 0,
    discount: float = 0.99,
    observe_prefix: bool | str | None = None,
    seed: int | None = None,
    env_kwargs: dict[str, Any] | None = None,
    numbered: bool = False,
    processes: bool = False,
    monitor_file: str | None = None,
    **arguments: Any,
) -> ChunkVecMonitor:
    """A VecEnv of chunked, delayed environments for Stable-Baselines3.

    A step is one decision. Its action is a flat chunk: a Box, or a MultiDiscrete of discrete actions. With a latency
    the prefix is part of the observation, without which the task is not Markov. An end's `info['episode']` counts the
    undiscounted return and control steps.

    Args:
        id_or_env_fn: a Gymnasium id, or a function that returns a new environment.
        n_envs: how many environments, at least 1; each keeps its own chunk phase.
        prediction_horizon: rows in a chunk, H.
        latency: ticks, or a model of `chunkenv.latency` in seconds.
        discount: per control step, from 0 to 1. It takes the place of an algorithm's `gamma`.
        observe_prefix: None: 'flat' where there is a latency and the observation is a vector, True (a Dict, for
            MultiInputPolicy) where it is another, False without latency.
        seed: of the first reset; environment i gets seed + i.
        env_kwargs: arguments of the environment itself, for an id.
        numbered: True makes the action of discrete chunks one number, for DQN.
        processes: True plays each environment in a process of its own.
        monitor_file: where to log the episodes; nowhere if None.
        arguments: the other arguments of `chunkenv.ChunkedExecution`.

    Raises:
        ArgumentError: for an argument that cannot be meant.

    >>> env = make_sb3_env("Pendulum-v1", n_envs=2, prediction_horizon=4, latency=2)
    >>> env.observation_space.shape, env.action_space.shape  # 3 of Pendulum, 4 of the prefix, its length, the delay
    ((9,), (4,))
    """
    count = whole_number("n_envs", n_envs, at_least=1)
    chunking = {"prediction_horizon": prediction_horizon, "latency": latency, "discount": discount, **arguments}
    make_one = partial(
        _make_one, _maker(id_or_env_fn, env_kwargs), chunking, observe_prefix, true_or_false("numbered", numbered)
    )
    kind = SubprocVecEnv if true_or_false("processes", processes) else DummyVecEnv
    env = ChunkVecMonitor(kind([make_one] * count), monitor_file)
    if seed is not None:
        env.seed(seed)
    return env


def _maker(id_or_env_fn: Any, env_kwargs: dict[str, Any] | None) -> Callable[[], Any]:
    if isinstance(id_or_env_fn, str):
        return lambda: gym.make(id_or_env_fn, **(env_kwargs or {}))
    if not callable(id_or_env_fn) or isinstance(id_or_env_fn, gym.Env):
        raise ArgumentError(
            f"id_or_env_fn={brief(id_or_env_fn)} is neither an id nor a function that returns a new environment."
        )
    if env_kwargs:
        raise ArgumentError(f"env_kwargs={env_kwargs!r} is for an id; let the function make its environment with them.")
    return id_or_env_fn


def _make_one(
    make: Callable[[], gym.Env], chunking: dict[str, Any], observe_prefix: bool | str | None, numbered: bool
) -> gym.Env:
    env = make()
    if observe_prefix is None:
        observe_prefix = _prefix_form(env.observation_space) if chunking["latency"] != 0 else False
    chunked = ChunkedExecution(UndiscountedReturn(env), observe_prefix=observe_prefix, **chunking)
    return NumberedChunk(chunked) if numbered else FlattenChunk(chunked)


def _prefix_form(observation_space: spaces.Space[Any]) -> bool | str:
    """Flat beside a vector; a picture keeps its shape, in a Dict."""
    is_vector = isinstance(observation_space, spaces.Box) and len(observation_space.shape) == 1
    return "flat" if is_vector else True
