"""A worker process: one environment, which does what it is asked, and goes when its parent goes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import gymnasium as gym

from chunkenv.utils.processes import begin_worker


class Failure(NamedTuple):
    """Why there is no result: in a sentence and, if something was raised, where; `harmless` if all can go on."""

    sentence: str
    traceback: str = ""
    harmless: bool = False


class Facts(NamedTuple):
    """What a parent must know of an environment."""

    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    metadata: dict[str, Any]
    render_mode: str | None


class Moved(NamedTuple):
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

    observation: Any
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: dict[str, Any] = {}  # noqa: RUF012 (never written to)
    begins: bool = False
    final: tuple[Any, dict[str, Any]] | None = None


def serve(make_env: Callable[[], gym.Env[Any, Any]], connection: Connection) -> None:
    """Make the environment, then answer every request with its result or a `Failure`, until the connection closes."""
    begin_worker()
    try:
        env = make_env()
        _send(connection, Facts(env.observation_space, env.action_space, dict(env.metadata), env.render_mode))
    except Exception as error:
        connection.send(_failure(error))
        return
    _answer_all(env, connection)
    env.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a spawned interpreter takes long to go by itself, and its parent waits


def _answer_all(env: gym.Env[Any, Any], connection: Connection) -> None:
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
            connection.send(_failure(error)._replace(harmless=name in HARMLESS))


def _send(connection: Connection, answer: Any) -> None:
    try:
        connection.send(answer)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(1)  # nobody is there to hear of it


def reset(env: gym.Env[Any, Any], seed: int | None, options: dict[str, Any] | None) -> Moved:
    """Start an episode."""
    observation, info = env.reset(seed=seed, options=options)
    return Moved(observation, info=info, begins=True)


def step(env: gym.Env[Any, Any], action: Any, go_on: bool) -> Moved:
    """Play a step; if that ends the episode, and with `go_on`, start the next at once."""
    observation, reward, terminated, truncated, info = env.step(action)
    moved = Moved(observation, float(reward), bool(terminated), bool(truncated), info)
    if not (go_on and (terminated or truncated)):
        return moved
    first, first_info = env.reset()
    return moved._replace(observation=first, info=first_info, begins=True, final=(observation, info))


def call(env: gym.Env[Any, Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The value of an attribute, or of the method of that name."""
    attribute = env.get_wrapper_attr(name)
    return attribute(*args, **kwargs) if callable(attribute) else attribute


def assign(env: gym.Env[Any, Any], name: str, value: Any) -> None:
    """Set an attribute."""
    env.set_wrapper_attr(name, value)


HARMLESS = ("call", "assign")
"""What may raise without anything having happened to the episode: a name that nobody knows, say."""

REQUESTS: dict[str, Callable[..., Any]] = {"reset": reset, "step": step, "call": call, "assign": assign}


def _failure(error: Exception) -> Failure:
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return Failure(f"{type(error).__name__}: {error}{notes}", "".join(traceback.format_exception(error)))
