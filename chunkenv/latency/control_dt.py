"""How many seconds a tick of an environment lasts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import MaxAndSkipObservation

from chunkenv.latency.arguments import is_number, positive
from chunkenv.utils.types import AnyEnv, AnyVectorEnv

NAMES = ("control_dt", "control_timestep", "dt", "tau")
"""Attributes in which environments say how many seconds a step takes, the first that is there counts."""


class StepTime(NamedTuple):
    """What an environment says of the time of a step: by its name and seconds, and of frames per second."""

    name: str | None
    seconds: float | None
    frames: float | None


def control_dt_of(env: AnyEnv | AnyVectorEnv, control_dt: float | None = None) -> float | None:
    """Seconds per tick of an environment: `control_dt` if given, else what the environment says, else None.

    It says so by an attribute `control_dt`, `control_timestep`, `dt` or `tau`, of its own or of a wrapper; if it has
    none, by metadata["render_fps"]. Gymnasium's `MaxAndSkipObservation` makes ticks as much longer as it skips; other
    wrappers that repeat actions do not say so: give `control_dt`. None, too, for a `SyncVectorEnv` of environments
    that differ, and around chunks, whose step is a decision.

    Raises:
        ArgumentError: for a `control_dt` that is not finite and more than 0.

    >>> import gymnasium as gym
    >>> control_dt_of(gym.make("Pendulum-v1")), gym.make("Pendulum-v1").metadata["render_fps"]
    (0.05, 30)
    """
    if control_dt is not None:
        return positive("control_dt", control_dt)
    found = {_seconds(_step_time(member)) for member in _members(env)}
    return found.pop() if len(found) == 1 else None


def warn_of_frame_rate(env: AnyEnv | AnyVectorEnv, stacklevel: int) -> None:
    """Warn if an environment's frame rate contradicts what it says of its step; `stacklevel` as in `warnings.warn`.

    Gymnasium draws some of its own tasks faster than they act, which is known: no warning.
    """
    member = _members(env)[0]
    said, of_gymnasium = _step_time(member), type(member.unwrapped).__module__.startswith("gymnasium.envs.")
    if of_gymnasium or said.seconds is None or said.frames is None or abs(said.frames - 1.0 / said.seconds) <= 0.5:
        return
    warnings.warn(
        f"{member.unwrapped} has {said.name}={said.seconds!r}, but metadata['render_fps']={said.frames:g}: its step is "
        f"taken to last {said.seconds!r} s; give control_dt in seconds per tick if that is wrong.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def _seconds(said: StepTime) -> float | None:
    if said.seconds is None and said.frames is not None:
        return 1.0 / said.frames
    return said.seconds


def _step_time(env: Any) -> StepTime:
    """What the outermost layer that says anything says of its step, times the steps that layers outside it make."""
    metadata: dict[str, Any] = env.metadata or {}
    frames, repeats = _positive_or_none(metadata.get("render_fps")), 1
    for layer in _layers(env):
        if hasattr(layer, "execution_horizon"):  # its step is a decision, which is as long as it happens to be
            return StepTime(None, None, None)
        repeats *= _steps_inside(layer)
        for name in NAMES:
            seconds = _positive_or_none(getattr(layer, name, None))
            if seconds is not None:
                return StepTime(name, repeats * seconds, frames and frames / repeats)
    return StepTime(None, None, frames and frames / repeats)


def _steps_inside(layer: Any) -> int:
    """How many steps of what it wraps a step of a layer makes, as far as that is known."""
    return getattr(layer, "_skip", 1) if issubclass(type(layer), MaxAndSkipObservation) else 1


def _layers(env: Any) -> Iterator[Any]:
    """The wrappers of an environment from the outermost on, itself, and what a functional one keeps its numbers in."""
    while env is not env.unwrapped:
        yield env
        env = env.env
    yield env
    yield getattr(getattr(env, "func_env", None), "default_params", None)


def _members(env: Any) -> list[Any]:
    """The single environments of a `SyncVectorEnv`, which says nothing of its own; any other as it is."""
    base: Any = env.unwrapped
    return list(base.envs) if isinstance(base, SyncVectorEnv) else [env]


def _positive_or_none(value: object) -> float | None:
    return float(value) if is_number(value) and 0.0 < value < math.inf else None
