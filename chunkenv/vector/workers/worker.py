"""A worker process: one environment, which does what it is asked, and goes when its parent goes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeAlias

from chunkenv.utils.processes import begin_worker
from chunkenv.utils.types import Action, AnyEnv, AnySpace, Info, Observation

Answer: TypeAlias = Any
"""What a worker sends back: an `EnvInfo`, a `Transition`, the value of an attribute or a call, or an `EnvFailure`."""


class EnvFailure(NamedTuple):
    """Why there is no result: in a sentence, with the traceback of what was raised; `recoverable` if all can go on."""

    sentence: str
    traceback: str = ""
    recoverable: bool = False


class EnvInfo(NamedTuple):
    """What a parent must know of an environment."""

    observation_space: AnySpace
    action_space: AnySpace
    metadata: Info
    render_mode: str | None


class Transition(NamedTuple):
    """What a reset or a step led to.

    Attributes:
        observation: the last one.
        reward: of the step, as the next two.
        terminated: whether the task ended.
        truncated: whether a limit cut the episode.
        info: the last one.
        begins: whether an episode begins with the observation.
        final: the last observation and info of the episode before, where a step ended it and the next began at once.
    """

    observation: Observation
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: Info = {}  # noqa: RUF012 (never written to)
    begins: bool = False
    final: tuple[Observation, Info] | None = None


def serve(make_env: Callable[[], AnyEnv], connection: Connection) -> None:
    """Make the environment, then answer every request with a result or an `EnvFailure`, until the connection closes."""
    begin_worker()
    try:
        env = make_env()
        _send(connection, EnvInfo(env.observation_space, env.action_space, dict(env.metadata), env.render_mode))
    except Exception as error:
        connection.send(_failure(error))
        return
    _answer_all(env, connection)
    env.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a spawned interpreter takes long to go by itself, and its parent waits


def _answer_all(env: AnyEnv, connection: Connection) -> None:
    while True:
        try:
            name, *arguments = connection.recv()
        except EOFError:
            return
        if name == "close":
            return
        try:
            _send(connection, REQUESTS[name](env, *arguments))
        except Exception as error:
            connection.send(_failure(error)._replace(recoverable=name in RECOVERABLE))


def _send(connection: Connection, answer: Answer) -> None:
    try:
        connection.send(answer)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(1)  # the parent has gone


def reset(env: AnyEnv, seed: int | None, options: Info | None) -> Transition:
    """Start an episode."""
    observation, info = env.reset(seed=seed, options=options)
    return Transition(observation, info=info, begins=True)


def step(env: AnyEnv, action: Action, go_on: bool) -> Transition:
    """Play a step; if that ends the episode, and with `go_on`, start the next at once."""
    observation, reward, terminated, truncated, info = env.step(action)
    moved = Transition(observation, float(reward), bool(terminated), bool(truncated), info)
    if not (go_on and (terminated or truncated)):
        return moved
    first, first_info = env.reset()
    return moved._replace(observation=first, info=first_info, begins=True, final=(observation, info))


def call(env: AnyEnv, name: str, args: tuple[Any, ...], kwargs: Info) -> Any:
    """The value of an attribute, or of the method of that name."""
    attribute = env.get_wrapper_attr(name)
    return attribute(*args, **kwargs) if callable(attribute) else attribute


def assign(env: AnyEnv, name: str, value: object) -> None:
    """Set an attribute."""
    env.set_wrapper_attr(name, value)


RECOVERABLE = ("call", "assign")
"""Requests that may raise without a change of the episode: for an unknown name, say."""

REQUESTS: dict[str, Callable[..., Any]] = {"reset": reset, "step": step, "call": call, "assign": assign}


def _failure(error: Exception) -> EnvFailure:
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return EnvFailure(f"{type(error).__name__}: {error}{notes}", "".join(traceback.format_exception(error)))
