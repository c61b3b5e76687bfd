"""Latencies in ticks: what the wrappers draw from."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, ResetNeededError
from chunkenv.latency.arguments import is_number, positive, seconds_of
from chunkenv.latency.control_dt import control_dt_of, warn_of_frame_rate
from chunkenv.latency.model import Constant, LatencyModel, Spec, State, Sum, checked_draw, model_of
from chunkenv.utils.checks import real_number, whole_number
from chunkenv.utils.types import AnyEnv, AnyVectorEnv, is_mapping

Latency: TypeAlias = int | LatencyModel | Mapping[str, Any]
"""What the wrappers take: ticks, a model in seconds, or the spec of one."""


class Delays:
    """Delays in ticks, one after the other: what the wrappers draw from.

    Args:
        latency: a whole number of ticks, a model in seconds, or the spec of one.
        control_dt: seconds per tick; None if unknown, which only a latency in ticks allows.

    Attributes:
        plain: the latency as plain data (for environment specs); the model itself, if it has no spec.
        constant: the delay, if it is known to be always the same, else None. Nothing random is drawn then.
        rows: how many rows of a chunk have a delay of their own, at most; None if a chunk comes as a whole.
        measured: whether the delays are what inferences took: `charged` takes the place of `next`.

    Raises:
        ArgumentError: for an invalid latency, seconds without a `control_dt`, or a recording of other ticks.

    >>> from chunkenv.latency import Uniform
    >>> delays = Delays(Uniform(0.0, 0.2), control_dt=0.05)
    >>> delays.reset(np.random.default_rng(0))
    >>> [delays.next() for _ in range(5)], delays.typical
    ([3, 2, 1, 1, 4], 2)
    """

    rows: int | None = None
    measured = False
    _episodes = 0
    """How many have begun."""

    def __init__(self, latency: Latency, control_dt: float | None = None) -> None:
        self.control_dt = None if control_dt is None else positive("control_dt", control_dt)
        self.model = _model_or_none(latency)
        if self.model is None:
            self.plain: int | Spec | LatencyModel = whole_number("latency", latency, at_least=0)
            self.constant: int | None = self.plain
        elif self.control_dt is None:
            raise ArgumentError(
                f"latency={self.model!r} is in seconds, but the environment does not say how long a tick is "
                "(no dt, no metadata['render_fps'], members that differ, or a step that is a decision); give "
                "control_dt in seconds per tick, or an int for ticks."
            )
        else:
            _expect_ticks_of(self.model, self.control_dt)
            self.plain = _spec_if_any(self.model)
            self.measured, self.rows = self.model.measured, _rows_of(self.model)
            self.constant = self._in_ticks(self.model.mean()) if _is_constant(self.model) else None
        self._rng: np.random.Generator | None = None
        self._state: State = None

    @property
    def streams(self) -> bool:
        """Whether rows of a chunk come one after the other."""
        return self.rows is not None

    @cached_property
    def typical(self) -> int:
        """The mean latency in ticks, rounded up; if rows stream, that of the first. 0 if the model does not know it."""
        return self._mean_delay or 0

    @property
    def knows_typical(self) -> bool:
        """Whether `typical` is the mean; nothing is drawn to find one for a model that does not know its own."""
        return self._mean_delay is not None

    @cached_property
    def _mean_delay(self) -> int | None:
        if self.constant is not None or self.model is None:
            return self.constant
        try:
            mean = self.model.mean()
        except NotImplementedError:
            return None
        return self._in_ticks(seconds_of(f"The mean of {self.model!r}", mean))

    @cached_property
    def least(self) -> int:
        """Ticks that all but one draw in a million take at least; 0, if the model does not know its quantiles."""
        if self.constant is not None or self.model is None:
            return self.constant or 0
        for share in (1e-6, 0.0):
            try:
                seconds = self.model.quantile(share)
            except NotImplementedError:
                continue
            return self._in_ticks(seconds_of(f"quantile({share}) of {self.model!r}", seconds))
        return 0

    def reset(self, rng: np.random.Generator, episode: int | None = None) -> None:
        """Start an episode, drawing from `rng` from now on. A constant leaves it alone.

        Args:
            rng: the stream of the latency.
            episode: which one it is, from 0 on, for recordings of episodes; None: as many as have begun here before.
        """
        number = self._episodes if episode is None else episode
        self._rng, self._episodes = rng, number + 1
        if self.constant is None and self.model is not None:
            self._state = self.model.begin_episode(rng, number)

    def next(self) -> int | tuple[int, ...]:
        """The next delay in ticks; if rows stream, the delay of each row that comes, which never falls.

        Raises:
            ArgumentError: if the model drew something that is no latency, or is measured.
            ResetNeededError: before the first reset, unless the delay is constant.
        """
        if self.constant is not None or self.model is None:
            return self.constant or 0
        return self._draw(self.model)

    def next_whole(self) -> int:
        """`next` of what comes as a whole, such as an action; see `expect_whole`."""
        delay = self.next()
        assert isinstance(delay, int), "expect_whole was not called"
        return delay

    def charged(self, seconds: float) -> int | tuple[int, ...]:
        """The delay of an inference that took `seconds`: what `next` is for models that are not `measured`.

        Raises:
            ArgumentError: for seconds that are not finite or below 0, or a latency that is not measured.
            ResetNeededError: before the first reset.
        """
        if self.model is None or not self.measured:
            raise ArgumentError(
                f"{seconds!r} s cannot be charged: {self!r} is not measured; give latency=Measured(), or do not charge."
            )
        return self._draw(self.model.charged(real_number("seconds", seconds, at_least=0.0)))

    def expect_whole(self, wrapper: str) -> None:
        """Refuse a latency that only chunks can have.

        Args:
            wrapper: what delays something else, for the sentence.

        Raises:
            ArgumentError: if rows stream, or inferences are measured.
        """
        if self.streams or self.measured:
            why = "is measured on inferences" if self.measured else "streams the rows of a chunk"
            raise ArgumentError(
                f"latency={self.model!r} {why}, but {wrapper} delays no chunks; give a model that draws one number."
            )

    def _draw(self, model: LatencyModel) -> int | tuple[int, ...]:
        if self._rng is None:
            raise ResetNeededError(f"{self!r} has no stream to draw from yet; call reset(rng) first.")
        seconds, self._state = checked_draw(model, self._rng, self._state)
        if isinstance(seconds, tuple):
            return tuple(map(self._in_ticks, seconds))
        delay = self._in_ticks(seconds)
        return delay if self.rows is None else (delay,) * self.rows

    def _in_ticks(self, seconds: float) -> int:
        assert self.control_dt is not None
        if not math.isfinite(seconds / self.control_dt):
            raise ArgumentError(f"{seconds!r} s cannot be counted in ticks of {self.control_dt!r} s; check control_dt.")
        return ticks(seconds, self.control_dt)

    def __repr__(self) -> str:
        latency = self.plain if self.model is None else self.model
        return f"Delays({latency!r}, control_dt={self.control_dt!r})"


def read_delays(
    env: AnyEnv | AnyVectorEnv, latency: Latency, control_dt: float | None = None, stacklevel: int = 1
) -> Delays:
    """The delays of a latency around an environment, which says how long a tick is unless `control_dt` is given.

    It warns if the latency is in seconds, and the environment contradicts itself; `stacklevel` as in `warnings.warn`.

    Raises:
        ArgumentError: as `Delays` and `control_dt_of` do.

    >>> import gymnasium as gym
    >>> read_delays(gym.make("Pendulum-v1"), Constant(0.08)).constant
    2
    """
    delays = Delays(latency, control_dt_of(env, control_dt))
    if control_dt is None and delays.model is not None:
        warn_of_frame_rate(env, stacklevel + 1)
    return delays


def _model_or_none(latency: object) -> LatencyModel | None:
    """The model of a `latency` argument, None for a number of ticks."""
    if not isinstance(latency, bool) and isinstance(latency, numbers.Integral):
        return None
    if isinstance(latency, LatencyModel) or is_mapping(latency):
        return model_of("latency", latency)
    if is_number(latency):
        hint = f"write Constant({latency!r}) for seconds or an int for ticks"
    else:
        hint = "give an int for ticks, a model such as Constant(0.05) for seconds, or the spec of one"
    raise ArgumentError(f"latency={latency!r} is neither a number of ticks nor a model; {hint}.")


def _is_constant(model: LatencyModel) -> bool:
    parts = model.parts if isinstance(model, Sum) else (model,)
    return all(isinstance(part, Constant) for part in parts)


def _spec_if_any(model: LatencyModel) -> Spec | LatencyModel:
    """Without a spec an environment can still be rebuilt, only not from JSON."""
    try:
        return model.spec()
    except ArgumentError:
        return model


def _rows_of(model: LatencyModel) -> int | None:
    rows = model.rows
    return None if rows is None else whole_number(f"rows of {model!r}", rows, at_least=1)


def _expect_ticks_of(model: LatencyModel, control_dt: float) -> None:
    """Refuse to repeat the ticks of a recording in ticks of another length."""
    recorded = model.recorded_dt
    if recorded is not None and not math.isclose(recorded, control_dt, rel_tol=1e-9):
        raise ArgumentError(
            f"latency={model!r} was recorded in ticks of {recorded!r} s, but a tick of the environment lasts "
            f"{control_dt!r} s; give control_dt={recorded!r} if it is wrong, or mode='replay', which counts seconds."
        )
