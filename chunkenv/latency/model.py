"""What a latency model is."""

from __future__ import annotations

import dataclasses
import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import is_number
from chunkenv.latency.names import name_of

if TYPE_CHECKING:
    from chunkenv.latency.sums import Sum


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
        return {"model": name_of(type(self)), **arguments}

    def __add__(self, other: object) -> Sum:
        if not isinstance(other, LatencyModel):
            hint = f"; write Constant({other!r})" if isinstance(other, numbers.Real) else ""
            raise ArgumentError(f"{other!r} cannot be added to a latency model; only another model can{hint}.")
        from chunkenv.latency.sums import Sum  # a sum is a model itself, so that its module needs this one first

        return Sum((self, other))


def checked_draw(model: LatencyModel, rng: np.random.Generator, state: Any) -> tuple[float, Any]:
    """A draw that is known to be a latency.

    Raises:
        ArgumentError: if the model drew anything but a finite number of seconds of at least 0, and a state.
    """
    drawn = model.draw(rng, state)
    if not isinstance(drawn, tuple) or len(drawn) != 2:
        raise ArgumentError(f"{model!r} drew {drawn!r}; draw(rng, state) must return (seconds, state).")
    seconds, state = drawn
    if not is_number(seconds) or not 0.0 <= seconds < math.inf:
        raise ArgumentError(f"{model!r} drew a latency of {seconds!r}; it must be finite seconds of at least 0.")
    return float(seconds), state


def _plain(value: Any) -> Any:
    """A field of a model as JSON would hold it."""
    if isinstance(value, LatencyModel):
        return value.spec()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value
