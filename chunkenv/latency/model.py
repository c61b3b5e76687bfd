"""What a latency model is, the two that the others are combined with, and specs: models as data that JSON can hold."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

import numpy as np

from chunkenv.errors import ArgumentError, brief, suggest
from chunkenv.latency.arguments import assign, is_number, seconds_of, share_of
from chunkenv.utils.types import is_list, is_mapping

State: TypeAlias = Any
"""What a model remembers from one draw to the next: picklable, and known to that model alone."""

Draw: TypeAlias = float | tuple[float, ...]
"""Seconds until the chunk is there; or, of rows that stream, until each of them is, which never fall."""

Spec: TypeAlias = dict[str, Any]
"""`{"model": name, ...arguments}`."""

MODELS: dict[str, str] = {
    "constant": "chunkenv.latency.model:Constant",
    "uniform": "chunkenv.latency.distributions:Uniform",
    "lognormal": "chunkenv.latency.distributions:LogNormal",
    "gamma": "chunkenv.latency.distributions:Gamma",
    "bursty": "chunkenv.latency.bursty:Bursty",
    "trace": "chunkenv.latency.trace:Trace",
    "measured": "chunkenv.latency.measured:Measured",
    "streamed": "chunkenv.latency.streamed:Streamed",
    "sum": "chunkenv.latency.model:Sum",
}
"""The short names in specs, and where each class is; as text, since most of the classes need this module."""

Common = TypeVar("Common")


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

    Attributes:
        rows: how many rows of a chunk a draw has seconds for, at most; None for whole chunks. A model of yours whose
            rows stream sets it.
        measured: whether it charges the seconds that an inference really took, so that it cannot be drawn from alone.
        recorded_dt: seconds per tick of the recording whose delays it repeats tick for tick, else None.
    """

    rows: int | None = None
    measured: bool = False
    recorded_dt: float | None = None

    def begin(self, rng: np.random.Generator) -> State:
        """What the model remembers at the start of an episode; None for a model without memory.

        The state must be picklable, and `draw` must return a new one in place of changing it.
        """
        return None

    def begin_episode(self, rng: np.random.Generator, episode: int) -> State:
        """`begin` for a model that needs to know how many episodes have begun before, such as a recording of them."""
        return self.begin(rng)

    def charged(self, seconds: float) -> LatencyModel:
        """The model to draw from after an inference that took `seconds`: itself, unless it is `measured`."""
        return self

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float | Sequence[float], State]:
        """The next latency in seconds (finite, not negative), and the state for the draw after it.

        If rows stream: the seconds until each row is there, which never fall. Rows without seconds never come.
        """
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

    def spec(self) -> Spec:
        """The model as plain data that goes through JSON; `from_spec` makes an equal model of it.

        Raises:
            ArgumentError: if the class cannot be found by its name, or is not a dataclass and has no `spec` of its own.
        """
        if not dataclasses.is_dataclass(self):
            name = type(self).__name__
            raise ArgumentError(f"{name} has no spec: make it a dataclass, or write spec() -> dict with 'model' in it.")
        arguments = {f.name: _to_plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.init}
        return {"model": name_of(type(self)), **arguments}

    def __add__(self, other: object) -> Sum:
        if not isinstance(other, LatencyModel):
            hint = f"; write Constant({other!r})" if is_number(other) else ""
            raise ArgumentError(f"{other!r} cannot be added to a latency model; only another model can{hint}.")
        return Sum((self, other))


def checked_draw(model: LatencyModel, rng: np.random.Generator, state: State) -> tuple[Draw, State]:
    """A draw that is known to be a latency.

    Raises:
        ArgumentError: if the model drew anything but a finite number of seconds of at least 0 (or, if it has `rows`,
            that many or fewer that never fall), and a state.
    """
    pair: object = model.draw(rng, state)
    if not is_list(pair, tuple) or len(pair) != 2:
        raise ArgumentError(f"{model!r} drew {pair!r}; draw(rng, state) must return (seconds, state).")
    seconds, state = pair
    if _is_latency(seconds):
        return float(seconds), state
    return _checked_rows(model, seconds), state


def _is_latency(seconds: object) -> TypeGuard[float]:
    return is_number(seconds) and 0.0 <= seconds < math.inf


def _checked_rows(model: LatencyModel, drawn: object) -> tuple[float, ...]:
    """The seconds of rows that stream."""
    values: object = np.asarray(drawn).tolist() if hasattr(drawn, "__array__") else drawn
    rows = model.rows
    if rows and is_list(values) and 1 <= len(values) <= rows and all(map(_is_latency, values)):
        seconds = tuple(map(float, values))
        if list(seconds) == sorted(seconds):
            return seconds
    several = (
        f", or a list of up to {rows} of them that never fall" if rows else " (a list only if `rows` says how long)"
    )
    raise ArgumentError(
        f"{model!r} drew a latency of {brief(drawn)}; it must be finite seconds of at least 0{several}."
    )


def agreed(name: str, values: Sequence[Common | None]) -> Common | None:
    """What all models say that say anything, None if none does.

    Raises:
        ArgumentError: if two say different things.
    """
    said = list(dict.fromkeys(value for value in values if value is not None))
    if len(said) > 1:
        raise ArgumentError(
            f"models with {name}={said[0]!r} and {name}={said[1]!r} do not go together; make them equal."
        )
    return said[0] if said else None


@dataclass(frozen=True)
class Constant(LatencyModel):
    """Always the same latency.

    Args:
        seconds: at least 0.
    """

    seconds: float

    def __post_init__(self) -> None:
        assign(self, seconds=seconds_of("seconds", self.seconds))

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float, State]:
        """The constant; `rng` is not touched."""
        return self.seconds, state

    def mean(self) -> float:
        """The constant."""
        return self.seconds

    def quantile(self, q: float) -> float:
        """The constant."""
        share_of("q", q)
        return self.seconds


@dataclass(frozen=True, repr=False)
class Sum(LatencyModel):
    """Latencies that follow each other, such as network and inference; `a + b` makes one.

    Args:
        parts: one model or more (or their specs); sums among them are flattened.

    >>> from chunkenv.latency import Uniform
    >>> Constant(0.02) + Uniform(0.0, 0.1)
    Constant(seconds=0.02) + Uniform(low=0.0, high=0.1)
    """

    parts: tuple[LatencyModel, ...]
    rows: int | None = field(init=False, default=None, compare=False)
    measured: bool = field(init=False, default=False, compare=False)
    recorded_dt: float | None = field(init=False, default=None, compare=False)

    def __post_init__(self) -> None:
        parts: object = self.parts
        if not is_list(parts) or not parts:
            raise ArgumentError(f"parts={parts!r} is not a list of latency models; give at least one.")
        models = [model_of("parts", part) for part in parts]
        assign(self, parts=tuple(leaf for m in models for leaf in (m.parts if isinstance(m, Sum) else (m,))))
        assign(self, rows=agreed("rows", [part.rows for part in self.parts]))
        assign(self, recorded_dt=agreed("recorded_dt", [part.recorded_dt for part in self.parts]))
        assign(self, measured=any(part.measured for part in self.parts))

    def begin(self, rng: np.random.Generator) -> State:
        """The states of the parts."""
        return tuple(part.begin(rng) for part in self.parts)

    def begin_episode(self, rng: np.random.Generator, episode: int) -> State:
        """The states of the parts, all in the same episode."""
        return tuple(part.begin_episode(rng, episode) for part in self.parts)

    def charged(self, seconds: float) -> Sum:
        """What was measured counts once for each part that is measured."""
        return Sum(tuple(part.charged(seconds) for part in self.parts))

    def draw(self, rng: np.random.Generator, state: State) -> tuple[Draw, State]:
        """One draw of every part, added; a number counts for every row of a part that streams."""
        draws = [checked_draw(part, rng, before) for part, before in zip(self.parts, state, strict=True)]
        return _added([seconds for seconds, _ in draws]), tuple(after for _, after in draws)

    def mean(self) -> float:
        """The means added."""
        return math.fsum(part.mean() for part in self.parts)

    def quantile(self, q: float) -> float:
        """Known if at most one part varies, the others being constants; and at q = 0, where all are at their least."""
        share = share_of("q", q)
        varying = [part for part in self.parts if not isinstance(part, Constant)]
        if len(varying) > 1 and share > 0.0:
            raise NotImplementedError(f"{self!r} has no closed form for its quantiles; take them of draws instead.")
        fixed = math.fsum(part.seconds for part in self.parts if isinstance(part, Constant))
        return fixed + sum(part.quantile(share) for part in varying)

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts)) if len(self.parts) > 1 else f"Sum(parts={self.parts!r})"


def _added(draws: Sequence[Draw]) -> Draw:
    """The sum; a row comes when all parts have it."""
    streams = [draw for draw in draws if isinstance(draw, tuple)]
    whole = [draw for draw in draws if not isinstance(draw, tuple)]
    if not streams:
        return math.fsum(whole)
    return tuple(math.fsum((*whole, *row)) for row in zip(*streams, strict=False))


def name_of(model: type) -> str:
    """What a spec calls a class: its short name, or 'package.module:Class'.

    Raises:
        ArgumentError: if the class is defined in a function, where it cannot be imported.

    >>> from chunkenv.latency import LogNormal
    >>> name_of(LogNormal)
    'lognormal'
    """
    if "<locals>" in model.__qualname__:
        raise ArgumentError(
            f"{model.__qualname__} is defined in a function, where no spec finds it; move it to its module."
        )
    place = f"{model.__module__}:{model.__qualname__}"
    return next((name for name, known in MODELS.items() if known == place), place)


def from_spec(spec: Mapping[str, Any]) -> LatencyModel:
    """The model that a spec describes.

    Args:
        spec: `{"model": name, ...arguments}`; the name is one of `MODELS`, or `"package.module:Class"` for your own.

    Raises:
        ArgumentError: for a name or arguments that fit no model.

    >>> from_spec({"model": "lognormal", "median": 0.08, "sigma": 0.3})
    LogNormal(median=0.08, sigma=0.3)
    """
    if not _is_spec(spec):
        raise ArgumentError(
            f'{spec!r} is not the spec of a latency model; write {{"model": "constant", "seconds": 0.05}}.'
        )
    model = _class_of(spec["model"])
    arguments = {name: _from_plain(value) for name, value in spec.items() if name != "model"}
    try:
        inspect.signature(model).bind(**arguments)
    except TypeError as error:
        raise ArgumentError(f"{spec!r} does not fit {_signature(model)}: {error}.") from None
    return model(**arguments)


def model_of(name: str, value: object) -> LatencyModel:
    """The model of an argument that may be one, or the spec of one.

    Raises:
        ArgumentError: if it is neither.
    """
    if isinstance(value, LatencyModel):
        return value
    if is_mapping(value):
        return from_spec(value)
    hint = f"write Constant({value!r})" if is_number(value) else "give a model or its spec"
    raise ArgumentError(f"{name}={value!r} is not a latency model; {hint}.")


def _class_of(name: object) -> type[LatencyModel]:
    """The class that a spec names."""
    if not isinstance(name, str) or (name not in MODELS and ":" not in name):
        raise ArgumentError(f"There is no latency model {name!r}; {suggest(name, MODELS)}")
    module, _, qualname = MODELS.get(name, name).partition(":")
    try:
        found: object = operator.attrgetter(qualname)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError(
            f"The latency model {name!r} cannot be imported ({error}); write 'package.module:Class'."
        ) from error
    if not (isinstance(found, type) and issubclass(found, LatencyModel)):
        raise ArgumentError(f"{name!r} is not a subclass of chunkenv.latency.LatencyModel; make it one.")
    return found


def _signature(model: type[LatencyModel]) -> str:
    return f"{model.__name__}({', '.join(inspect.signature(model).parameters)})"


def _to_plain(value: object) -> object:
    """A field of a model as JSON would hold it."""
    if isinstance(value, LatencyModel):
        return value.spec()
    if is_list(value):
        return [_to_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return cast("np.ndarray", value).tolist()
    return value


def _from_plain(value: object) -> object:
    """The inverse: specs among the arguments become models."""
    if _is_spec(value):
        return from_spec(value)
    return [_from_plain(item) for item in value] if is_list(value) else value


def _is_spec(value: object) -> TypeGuard[Mapping[str, Any]]:
    return is_mapping(value) and "model" in value
