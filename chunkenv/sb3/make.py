"""Chunked, delayed environments as Stable-Baselines3 takes them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import DummyVecEnv

from chunkenv.errors import ArgumentError, brief, suggest
from chunkenv.latency import Latency
from chunkenv.latency.model import model_of
from chunkenv.making import CHUNK_ARGUMENTS
from chunkenv.sb3.discrete import ChoicesSeen, FlatChoices, NumberedChunk, counts_from_zero, is_discrete
from chunkenv.sb3.monitor import ChunkVecMonitor, UndiscountedReturn
from chunkenv.sb3.native import FlatVectorChunks, VectorReturns, is_native, native_ticks
from chunkenv.sb3.vec_env import SB3VecEnv
from chunkenv.utils.checks import true_or_false, whole_number
from chunkenv.utils.types import AnyEnv, AnySpace
from chunkenv.vector import ChunkedVectorExecution
from chunkenv.vector.workers import WorkerVectorEnv
from chunkenv.wrappers import ChunkedExecution, FlattenChunk


def make_sb3_env(
    id_or_env_fn: str | Callable[[], gym.Env],
    n_envs: int = 1,
    *,
    prediction_horizon: int,
    latency: Latency = 0,
    discount: float = 0.99,
    observe_prefix: bool | str | None = None,
    seed: int | None = None,
    env_kwargs: dict[str, Any] | None = None,
    numbered: bool = False,
    processes: bool = False,
    monitor_file: str | None = None,
    append: bool = False,
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
        append: True goes on with a monitor file that is there, for a training that is resumed; False replaces it.
        arguments: the other arguments of `chunkenv.ChunkedExecution`; with a latency of d ticks an
            `execution_horizon` from d to H - d (the default), else there are ticks without a row.

    Raises:
        ArgumentError: for an unknown or invalid argument.

    >>> env = make_sb3_env("Pendulum-v1", n_envs=2, prediction_horizon=4, execution_horizon=2, latency=2)
    >>> env.observation_space.shape, env.action_space.shape  # 3 of Pendulum, 4 of the prefix, its length, the delay
    ((9,), (4,))
    """
    count = whole_number("n_envs", n_envs, at_least=1)
    single = true_or_false("numbered", numbered) | true_or_false("processes", processes)
    true_or_false("append", append)
    make_env = _env_function(id_or_env_fn, env_kwargs)
    chunking = {"prediction_horizon": prediction_horizon, "latency": latency, "discount": discount, **arguments}
    chunking["observe_prefix"] = observe_prefix
    _expect_known(arguments)
    _expect_drawn(latency)
    if not single and is_native(id_or_env_fn, env_kwargs or {}):
        venv = _make_native(native_ticks(id_or_env_fn, count, env_kwargs or {}), chunking)
    else:
        first = partial(_make_member, make_env, chunking, numbered)
        others = [partial(first, silent=True)] * (count - 1)  # what one warns of holds for all
        members: list[Callable[[], AnyEnv]] = [first, *others]
        venv = _make_in_workers(members) if processes else DummyVecEnv(members)
    env = ChunkVecMonitor(venv, monitor_file, append)
    if seed is not None:
        env.seed(seed)
    return env


def _env_function(id_or_env_fn: str | Callable[[], AnyEnv], env_kwargs: dict[str, Any] | None) -> Callable[[], AnyEnv]:
    if isinstance(id_or_env_fn, str):
        return lambda: gym.make(id_or_env_fn, **(env_kwargs or {}))
    if not callable(id_or_env_fn) or isinstance(id_or_env_fn, gym.Env):
        raise ArgumentError(
            f"id_or_env_fn={brief(id_or_env_fn)} is neither an id nor a function that returns a new environment."
        )
    if env_kwargs:
        raise ArgumentError(f"env_kwargs={env_kwargs!r} is for an id; let the function make its environment with them.")
    return id_or_env_fn


def _expect_known(arguments: dict[str, Any]) -> None:
    for name in arguments.keys() - CHUNK_ARGUMENTS:
        known = sorted(CHUNK_ARGUMENTS)
        raise ArgumentError(f"{name}={brief(arguments[name])} is no argument here; {suggest(name, known)}")


def _expect_drawn(latency: Latency) -> None:
    """Refuse a latency that somebody has to measure: between two steps a training also learns."""
    is_model = not isinstance(latency, int | float)
    if is_model and model_of("latency", latency).measured:
        raise ArgumentError(
            f"latency={brief(latency)} needs the seconds of each inference, which Stable-Baselines3 does not measure; "
            "measure the policy first (chunkenv trace record) and give latency=Trace(...)."
        )


def _make_native(ticks: VectorReturns, chunking: dict[str, Any]) -> SB3VecEnv:
    return SB3VecEnv(
        FlatVectorChunks(ChunkedVectorExecution(ticks, **_with_prefix_form(chunking, ticks.single_observation_space)))
    )


def _make_in_workers(members: Sequence[Callable[[], gym.Env]]) -> SB3VecEnv:
    return SB3VecEnv(WorkerVectorEnv(members, autoreset_mode=AutoresetMode.SAME_STEP))


def _make_member(
    make_env: Callable[[], gym.Env], chunking: dict[str, Any], numbered: bool, silent: bool = False
) -> gym.Env:
    env = make_env()
    with warnings.catch_warnings():
        if silent:
            warnings.simplefilter("ignore")
        chunked = ChunkedExecution(UndiscountedReturn(env), **_with_prefix_form(chunking, env.observation_space))
    if not counts_from_zero(chunked.observation_space):
        chunked = ChoicesSeen(chunked)
    if numbered:
        return NumberedChunk(chunked)
    return FlatChoices(chunked) if is_discrete(chunked.action_space) else FlattenChunk(chunked)


def _with_prefix_form(chunking: dict[str, Any], observation_space: AnySpace) -> dict[str, Any]:
    """The arguments of chunked execution with a form of the prefix: flat beside a vector; a picture keeps its shape."""
    if chunking["observe_prefix"] is not None:
        return chunking
    is_vector = isinstance(observation_space, spaces.Box) and len(observation_space.shape) == 1
    form = "flat" if is_vector else True
    late = chunking["latency"] != 0 or chunking.get("delays") is not None
    return {**chunking, "observe_prefix": form if late else False}
