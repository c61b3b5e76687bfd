"""How long an inference, an action or an observation takes: models in seconds, and the delays in ticks made of them.

A model is immutable. Its randomness comes from the generator that it is handed, and what it remembers from one draw to
the next (where a trace stands, whether a network is congested) travels as a `state` that the caller keeps:

    >>> import numpy as np
    >>> model, rng = Constant(0.02) + Uniform(0.0, 0.1), np.random.default_rng(0)
    >>> state = model.begin(rng)
    >>> seconds, state = model.draw(rng, state)
    >>> round(seconds, 4)
    0.0837

Wrappers take a model, a whole number of ticks, or a *spec*: plain data that goes through JSON and says the same.

    >>> model.spec()
    {'model': 'sum', 'parts': [{'model': 'constant', 'seconds': 0.02}, {'model': 'uniform', 'low': 0.0, 'high': 0.1}]}
    >>> from_spec(model.spec()) == model
    True
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import numbers
import operator
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.checks import one_of, real_number, whole_number
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, ResetNeededError, suggest


class LatencyModel:
    """A distribution of latencies in seconds, with or without memory.

    Write your own as a subclass with `draw` (and `begin`, if it remembers anything). If it is a dataclass, its spec
    comes for free, so that environments with it can be rebuilt from theirs:

        @dataclass(frozen=True)
        class Seldom(LatencyModel):
            usual: float
            rare: float

            def draw(self, rng, state):
                return (self.rare if rng.random() < 0.01 else self.usual), state
    """

    def begin(self, rng: np.random.Generator) -> Any:
        """What the model remembers at the start of an episode; None for a model without memory.

        The state must be picklable, and `draw` must return a new one in place of changing it.
        """
        return None

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """The next latency in seconds (finite, not negative), and the state for the draw after it."""
        raise NotImplementedError(f"{type(self).__name__} has no draw(rng, state) -> (seconds, state); write one.")

    def mean(self) -> float:
        """The mean in seconds.

        Raises:
            NotImplementedError: if the model does not know it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say its mean; average draws instead.")

    def quantile(self, q: float) -> float:
        """The latency in seconds that a share `q` (0 to 1) of all draws does not exceed.

        Raises:
            NotImplementedError: if the model does not know it.
            ArgumentError: for a `q` that is no share.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say its quantiles; take them of draws instead.")

    def spec(self) -> dict[str, Any]:
        """The model as plain data that goes through JSON; `from_spec` makes an equal model of it.

        Raises:
            ArgumentError: if the class cannot be found by its name, or is not a dataclass and has no `spec` of its own.
        """
        if not dataclasses.is_dataclass(self):
            name = type(self).__name__
            raise ArgumentError(f"{name} has no spec: make it a dataclass, or write spec() -> dict with 'model' in it.")
        arguments = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.init}
        return {"model": _name_of(type(self)), **arguments}

    def __add__(self, other: object) -> Sum:
        if not isinstance(other, LatencyModel):
            hint = f"; write Constant({other!r})" if isinstance(other, numbers.Real) else ""
            raise ArgumentError(f"{other!r} cannot be added to a latency model; only another model can{hint}.")
        return Sum((self, other))


@dataclass(frozen=True)
class Constant(LatencyModel):
    """Always the same latency.

    Args:
        seconds: at least 0.
    """

    seconds: float

    def __post_init__(self) -> None:
        _set(self, seconds=_seconds("seconds", self.seconds))

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """The constant; `rng` is not touched."""
        return self.seconds, state

    def mean(self) -> float:
        """The constant."""
        return self.seconds

    def quantile(self, q: float) -> float:
        """The constant."""
        _share("q", q)
        return self.seconds


@dataclass(frozen=True)
class Uniform(LatencyModel):
    """Any latency from `low` to `high`, all equally likely.

    Args:
        low: seconds, at least 0.
        high: seconds, at least `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _set(self, low=_seconds("low", self.low), high=_seconds("high", self.high))
        if self.low > self.high:
            raise ArgumentError(f"low={self.low!r} is more than high={self.high!r}; swap them.")

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """Independent of every other draw."""
        return float(rng.uniform(self.low, self.high)), state

    def mean(self) -> float:
        """Halfway between the two."""
        return self.low + (self.high - self.low) / 2

    def quantile(self, q: float) -> float:
        """On the line from `low` to `high`."""
        return self.low + _share("q", q) * (self.high - self.low)


@dataclass(frozen=True)
class LogNormal(LatencyModel):
    """The usual shape of inference and network times: a clear peak and a long tail of slow ones.

    Args:
        median: seconds, more than 0.
        sigma: standard deviation of the logarithm, 0 to 10; at 0.3 one draw in 40 is more than 1.8 medians.
    """

    median: float
    sigma: float

    def __post_init__(self) -> None:
        _set(self, median=_positive("median", self.median), sigma=real_number("sigma", self.sigma, 0.0, 10.0))

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """Independent of every other draw."""
        return self.median * math.exp(self.sigma * rng.standard_normal()), state

    def mean(self) -> float:
        """More than the median, because of the tail."""
        return self.median * math.exp(self.sigma**2 / 2)

    def quantile(self, q: float) -> float:
        """Infinite at q = 1, unless sigma is 0."""
        share = _share("q", q)
        if self.sigma == 0.0:
            return self.median
        if share in (0.0, 1.0):
            return math.inf if share else 0.0
        return self.median * math.exp(self.sigma * statistics.NormalDist().inv_cdf(share))


@dataclass(frozen=True, init=False, repr=False)
class Gamma(LatencyModel):
    """A sum of many small waits, such as queues: a tail lighter than that of `LogNormal`.

    Args:
        mean: seconds, more than 0.
        cv: coefficient of variation, the standard deviation as a share of the mean: 0, or 0.0001 to 100.
    """

    average: float
    cv: float

    def __init__(self, mean: float, cv: float) -> None:
        _set(self, average=_positive("mean", mean), cv=real_number("cv", cv, 0.0, 100.0))
        if 0.0 < self.cv < 1e-4:
            raise ArgumentError(f"cv={cv!r} is too little to be drawn; give 0 for no spread, or at least 0.0001.")

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """Independent of every other draw."""
        if self.cv == 0.0:
            return self.average, state
        return self.average * self.cv**2 * float(rng.gamma(self.cv**-2)), state

    def mean(self) -> float:
        """The mean that it was made with."""
        return self.average

    def quantile(self, q: float) -> float:
        """Found by bisection; infinite at q = 1, unless cv is 0."""
        share = _share("q", q)
        if self.cv == 0.0:
            return self.average
        if share in (0.0, 1.0):
            return math.inf if share else 0.0
        return self.average * self.cv**2 * _gamma_quantile(self.cv**-2, share)

    def spec(self) -> dict[str, Any]:
        """Plain data with the names of the constructor."""
        return {"model": _name_of(type(self)), "mean": self.average, "cv": self.cv}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.average!r}, cv={self.cv!r})"


@dataclass(frozen=True)
class Bursty(LatencyModel):
    """A network that is calm or congested for a while: a two-state Markov chain over two models.

    Every draw comes from the model of the present state; after it the state may change. An episode starts in either
    state with the share of draws that the chain spends there in the long run, so that the first draw is like any other.

    Args:
        calm: model of the calm state (or its spec).
        congested: model of the congested state (or its spec).
        enter: probability, after a calm draw, that the next one is congested.
        leave: probability, after a congested draw, that the next one is calm; a burst lasts 1 / leave draws on average.
    """

    calm: LatencyModel
    congested: LatencyModel
    enter: float
    leave: float

    def __post_init__(self) -> None:
        _set(self, calm=_model("calm", self.calm), congested=_model("congested", self.congested))
        _set(self, enter=_share("enter", self.enter), leave=_share("leave", self.leave))
        if self.enter + self.leave == 0.0:
            raise ArgumentError(
                "enter=0.0 and leave=0.0 never change the state; give one above 0, or use one model alone."
            )

    @property
    def congestion(self) -> float:
        """The share of congested draws in the long run."""
        return self.enter / (self.enter + self.leave)

    def begin(self, rng: np.random.Generator) -> Any:
        """Whether it is congested, the state of the calm model, and that of the congested one."""
        return bool(rng.random() < self.congestion), self.calm.begin(rng), self.congested.begin(rng)

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """A draw of the present state's model."""
        congested, calm_state, congested_state = state
        if congested:
            seconds, congested_state = checked_draw(self.congested, rng, congested_state)
        else:
            seconds, calm_state = checked_draw(self.calm, rng, calm_state)
        changes = rng.random() < (self.leave if congested else self.enter)
        return seconds, (congested != changes, calm_state, congested_state)

    def mean(self) -> float:
        """The means of both, by the share of their draws."""
        share = self.congestion
        return (1.0 - share) * self.calm.mean() + share * self.congested.mean()


@dataclass(frozen=True)
class Trace(LatencyModel):
    """Latencies that were recorded, such as those of a real robot.

    Args:
        recording: seconds, one or more, as an array or a list; or the path of a text file with one number a line.
        mode: 'replay' (in their order, from an offset that is drawn at every reset, and round the end) or 'resample'
            (each draw is any of them, which keeps the distribution and drops the order).

    >>> Trace([0.02, 0.05, 0.02])
    Trace(recording=(0.02, 0.05, 0.02), mode='replay')
    """

    recording: Any
    mode: str = "replay"
    seconds: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        one_of("mode", self.mode, ("replay", "resample"))
        if isinstance(self.recording, str | os.PathLike):
            path = str(os.fspath(self.recording))
            _set(self, recording=path, seconds=_read_trace(path))
        else:
            recorded = _recorded(self.recording)
            _set(self, recording=recorded, seconds=recorded)

    def begin(self, rng: np.random.Generator) -> Any:
        """The index of the next latency (replay)."""
        return int(rng.integers(len(self.seconds))) if self.mode == "replay" else None

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """The next latency of the recording, or any of it."""
        if self.mode == "replay":
            return self.seconds[state], (state + 1) % len(self.seconds)
        return self.seconds[int(rng.integers(len(self.seconds)))], state

    def mean(self) -> float:
        """The mean of the recording."""
        return math.fsum(self.seconds) / len(self.seconds)

    def quantile(self, q: float) -> float:
        """The least recorded latency that a share `q` of the recording does not exceed."""
        return float(np.quantile(self.seconds, _share("q", q), method="inverted_cdf"))


@dataclass(frozen=True, repr=False)
class Sum(LatencyModel):
    """Latencies that follow each other, such as network and inference; `a + b` makes one.

    Args:
        parts: one model or more (or their specs); sums among them are flattened.

    >>> Constant(0.02) + Uniform(0.0, 0.1)
    Constant(seconds=0.02) + Uniform(low=0.0, high=0.1)
    """

    parts: tuple[LatencyModel, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.parts, list | tuple) or not self.parts:
            raise ArgumentError(f"parts={self.parts!r} is not a list of latency models; give at least one.")
        models = [_model("parts", part) for part in self.parts]
        _set(self, parts=tuple(leaf for m in models for leaf in (m.parts if isinstance(m, Sum) else (m,))))

    def begin(self, rng: np.random.Generator) -> Any:
        """The states of the parts."""
        return tuple(part.begin(rng) for part in self.parts)

    def draw(self, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
        """One draw of every part, added."""
        draws = [checked_draw(part, rng, before) for part, before in zip(self.parts, state, strict=True)]
        return math.fsum(seconds for seconds, _ in draws), tuple(after for _, after in draws)

    def mean(self) -> float:
        """The means added."""
        return math.fsum(part.mean() for part in self.parts)

    def quantile(self, q: float) -> float:
        """Known if at most one part varies, the others being constants."""
        share = _share("q", q)
        varying = [part for part in self.parts if not isinstance(part, Constant)]
        if len(varying) > 1:
            raise NotImplementedError(f"{self!r} has no closed form for its quantiles; take them of draws instead.")
        fixed = math.fsum(part.seconds for part in self.parts if isinstance(part, Constant))
        return fixed + sum(part.quantile(share) for part in varying)

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts)) if len(self.parts) > 1 else f"Sum(parts={self.parts!r})"


MODELS: dict[str, type[LatencyModel]] = {
    model.__name__.lower(): model for model in (Constant, Uniform, LogNormal, Gamma, Bursty, Trace, Sum)
}


def from_spec(spec: Mapping[str, Any]) -> LatencyModel:
    """The model that a spec describes.

    Args:
        spec: `{"model": name, ...arguments}`; the name is one of `MODELS`, or `"package.module:Class"` for your own.

    Raises:
        ArgumentError: for a name or arguments that fit no model.

    >>> from_spec({"model": "lognormal", "median": 0.08, "sigma": 0.3})
    LogNormal(median=0.08, sigma=0.3)
    """
    if not isinstance(spec, Mapping) or "model" not in spec:
        raise ArgumentError(
            f'{spec!r} is not the spec of a latency model; write {{"model": "constant", "seconds": 0.05}}.'
        )
    model = _class_of(spec["model"])
    arguments = {name: _built(value) for name, value in spec.items() if name != "model"}
    try:
        inspect.signature(model).bind(**arguments)
    except TypeError as error:
        raise ArgumentError(f"{spec!r} does not fit {_signature(model)}: {error}.") from None
    return model(**arguments)


def checked_draw(model: LatencyModel, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
    """A draw that is known to be a latency.

    Raises:
        ArgumentError: if the model drew anything but a finite number of seconds of at least 0, and a state.
    """
    drawn = model.draw(rng, state)
    if not isinstance(drawn, tuple) or len(drawn) != 2:
        raise ArgumentError(f"{model!r} drew {drawn!r}; draw(rng, state) must return (seconds, state).")
    seconds, state = drawn
    if not _is_number(seconds) or not 0.0 <= seconds < math.inf:
        raise ArgumentError(f"{model!r} drew a latency of {seconds!r}; it must be finite seconds of at least 0.")
    return float(seconds), state


class Delays:
    """Delays in ticks, one after the other: what the wrappers draw from.

    Args:
        latency: a whole number of ticks, a model in seconds, or the spec of one.
        control_dt: seconds per tick; None if nobody knows, which only a latency in ticks allows.

    Attributes:
        plain: the latency as plain data (for environment specs); the model itself, if it has no spec.
        constant: the delay, if it is known to be always the same, else None. Nothing random is drawn then.

    Raises:
        ArgumentError: for a latency that cannot be meant, or seconds without a `control_dt`.

    >>> delays = Delays(Uniform(0.0, 0.2), control_dt=0.05)
    >>> delays.reset(np.random.default_rng(0))
    >>> [delays.next() for _ in range(5)], delays.typical
    ([3, 2, 1, 1, 4], 2)
    """

    def __init__(self, latency: int | LatencyModel | Mapping[str, Any], control_dt: float | None = None) -> None:
        self.control_dt = None if control_dt is None else _positive("control_dt", control_dt)
        self.model = _model_or_none(latency)
        if self.model is None:
            self.plain: Any = whole_number("latency", latency, at_least=0)
            self.constant: int | None = self.plain
        elif self.control_dt is None:
            raise ArgumentError(
                f"latency={self.model!r} is in seconds, but the environment does not say how long a tick is "
                "(its metadata have no 'render_fps'); give control_dt in seconds per tick, or an int for ticks."
            )
        else:
            self.plain = _spec_if_any(self.model)
            self.constant = self._in_ticks(self.model.mean()) if _is_constant(self.model) else None
        self._rng: np.random.Generator | None = None
        self._state: Any = None

    @cached_property
    def typical(self) -> int:
        """The mean latency in ticks, rounded up; the mean of 256 draws, if the model does not know its own."""
        if self.constant is not None or self.model is None:
            return self.constant or 0
        return self._in_ticks(_mean(self.model))

    def reset(self, rng: np.random.Generator) -> None:
        """Start an episode, drawing from `rng` from now on. A constant leaves it alone."""
        self._rng = rng
        if self.constant is None and self.model is not None:
            self._state = self.model.begin(rng)

    def next(self) -> int:
        """The next delay in ticks.

        Raises:
            ArgumentError: if the model drew something that is no latency.
            ResetNeededError: before the first reset, unless the delay is constant.
        """
        if self.constant is not None or self.model is None:
            return self.constant or 0
        if self._rng is None:
            raise ResetNeededError(f"{self!r} has no stream to draw from yet; call reset(rng) first.")
        seconds, self._state = checked_draw(self.model, self._rng, self._state)
        return self._in_ticks(seconds)

    def _in_ticks(self, seconds: float) -> int:
        assert self.control_dt is not None
        if not math.isfinite(seconds / self.control_dt):
            raise ArgumentError(f"{seconds!r} s cannot be counted in ticks of {self.control_dt!r} s; check control_dt.")
        return ticks(seconds, self.control_dt)

    def __repr__(self) -> str:
        latency = self.plain if self.model is None else self.model
        return f"Delays({latency!r}, control_dt={self.control_dt!r})"


def control_dt_of(env: gym.Env[Any, Any], control_dt: float | None = None) -> float | None:
    """Seconds per tick of an environment: `control_dt` if given, else 1 / metadata["render_fps"], else None.

    Some environments draw at another rate than they act (Pendulum-v1: 30 frames a second, 0.05 s a tick): give it.

    Raises:
        ArgumentError: for a `control_dt` that is not finite and more than 0.
    """
    if control_dt is not None:
        return _positive("control_dt", control_dt)
    frames: Any = (env.metadata or {}).get("render_fps")
    return 1.0 / float(frames) if _is_number(frames) and 0.0 < frames < math.inf else None


def _set(model: LatencyModel, **values: Any) -> None:
    """Write checked values into a frozen dataclass, from its own constructor."""
    for name, value in values.items():
        object.__setattr__(model, name, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _seconds(name: str, value: Any) -> float:
    return real_number(name, value, at_least=0.0)


def _positive(name: str, value: Any) -> float:
    seconds = _seconds(name, value)
    if seconds == 0.0:
        raise ArgumentError(f"{name}={value!r} is not above 0; give seconds.")
    return seconds


def _share(name: str, value: Any) -> float:
    return real_number(name, value, at_least=0.0, at_most=1.0)


def _model(name: str, value: Any) -> LatencyModel:
    """A model, out of a model or its spec."""
    if isinstance(value, LatencyModel):
        return value
    if isinstance(value, Mapping):
        return from_spec(value)
    hint = f"write Constant({value!r})" if _is_number(value) else "give a model or its spec"
    raise ArgumentError(f"{name}={value!r} is not a latency model; {hint}.")


def _model_or_none(latency: Any) -> LatencyModel | None:
    """The model of a `latency` argument, None for a number of ticks."""
    if isinstance(latency, numbers.Integral) and not isinstance(latency, bool):
        return None
    if isinstance(latency, LatencyModel | Mapping):
        return _model("latency", latency)
    if _is_number(latency):
        hint = f"write Constant({latency!r}) for seconds or an int for ticks"
    else:
        hint = "give an int for ticks, a model such as Constant(0.05) for seconds, or the spec of one"
    raise ArgumentError(f"latency={latency!r} is neither a number of ticks nor a model; {hint}.")


def _is_constant(model: LatencyModel) -> bool:
    parts = model.parts if isinstance(model, Sum) else (model,)
    return all(isinstance(part, Constant) for part in parts)


def _spec_if_any(model: LatencyModel) -> dict[str, Any] | LatencyModel:
    """Without a spec an environment can still be rebuilt, only not from JSON."""
    try:
        return model.spec()
    except ArgumentError:
        return model


def _mean(model: LatencyModel) -> float:
    """What the model says, or else the mean of 256 draws, always the same ones."""
    try:
        return _seconds(f"The mean of {model!r}", model.mean())
    except NotImplementedError:
        rng = np.random.default_rng(0)
        state, total = model.begin(rng), 0.0
    for _ in range(256):
        seconds, state = checked_draw(model, rng, state)
        total += seconds
    return total / 256


def _recorded(recording: Any) -> tuple[float, ...]:
    """An array or a list as a tuple of seconds."""
    values = np.asarray(recording).tolist() if hasattr(recording, "__array__") else recording
    if isinstance(values, bytes) or not isinstance(values, Sequence):
        raise ArgumentError(
            f"recording={recording!r} is no trace; give an array or a list of seconds, or a file's path."
        )
    seconds = tuple(_seconds(f"recording[{i}]", value) for i, value in enumerate(values))
    if not seconds:
        raise ArgumentError(f"recording={recording!r} is empty; give at least one number of seconds.")
    return seconds


def _read_trace(path: str) -> tuple[float, ...]:
    """The numbers of a text file, one a line; blank lines are skipped."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, ValueError) as error:
        raise ArgumentError(f"The trace {path!r} cannot be read as text ({error}); give one number a line.") from error
    seconds = tuple(_cell(path, number, line.strip()) for number, line in enumerate(lines, 1) if line.strip())
    if not seconds:
        raise ArgumentError(f"The trace {path!r} is empty; it needs at least one number of seconds, one a line.")
    return seconds


def _cell(path: str, number: int, text: str) -> float:
    try:
        return _seconds("latency", float(text))
    except ValueError:
        raise ArgumentError(
            f"The trace {path!r} holds {text[:80]!r} in line {number}; "
            "each line must be one number of seconds of at least 0, without a header."
        ) from None


def _plain(value: Any) -> Any:
    """A field of a model as JSON would hold it."""
    if isinstance(value, LatencyModel):
        return value.spec()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def _built(value: Any) -> Any:
    """The other way: specs among the arguments become models."""
    if isinstance(value, Mapping) and "model" in value:
        return from_spec(value)
    if isinstance(value, list | tuple):
        return [_built(item) for item in value]
    return value


def _name_of(model: type[LatencyModel]) -> str:
    """What `_class_of` finds the class by."""
    if MODELS.get(model.__name__.lower()) is model:
        return model.__name__.lower()
    if "<locals>" in model.__qualname__:
        raise ArgumentError(
            f"{model.__qualname__} is defined in a function, where no spec finds it; move it to its module."
        )
    return f"{model.__module__}:{model.__qualname__}"


def _class_of(name: Any) -> type[LatencyModel]:
    """The class that a spec names."""
    if not isinstance(name, str) or (name not in MODELS and ":" not in name):
        raise ArgumentError(f"There is no latency model {name!r}; {suggest(name, MODELS)}")
    if name in MODELS:
        return MODELS[name]
    module, _, qualname = name.partition(":")
    try:
        found: Any = operator.attrgetter(qualname)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError(
            f"The latency model {name!r} cannot be imported ({error}); write 'package.module:Class'."
        ) from error
    if not (isinstance(found, type) and issubclass(found, LatencyModel)):
        raise ArgumentError(f"{name!r} is not a subclass of chunkenv.latency.LatencyModel; make it one.")
    return found


def _signature(model: type[LatencyModel]) -> str:
    return f"{model.__name__}({', '.join(inspect.signature(model).parameters)})"


def _gamma_quantile(shape: float, share: float) -> float:
    """The x below which a share of the gamma distribution of scale 1 lies, by bisection."""
    low, high = 0.0, shape + 10.0 * math.sqrt(shape) + 50.0  # nothing that a float can tell from 1 lies above
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _gamma_cdf(shape, middle) < share else (low, middle)
    return high


def _gamma_cdf(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function, by the power series of DLMF 8.7.1."""
    terms = int(max(x - shape, 0.0) + 10.0 * math.sqrt(shape + x)) + 50
    series = 1.0 + np.cumprod(x / (shape + np.arange(1, terms))).sum()
    return float(series) * math.exp(shape * math.log(x) - x - math.lgamma(shape + 1.0))
