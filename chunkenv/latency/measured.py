"""The latency of a decision is what its own inference really took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from chunkenv.errors import ArgumentError, brief
from chunkenv.latency.arguments import assign
from chunkenv.latency.model import Constant, LatencyModel, State
from chunkenv.utils.checks import real_number


def not_measured(seconds: object, latency: object) -> ArgumentError:
    """The error of an environment that is told what inferences took, but whose latency says that itself."""
    return ArgumentError(
        f"charge({brief(seconds)}) needs latency=Measured(), but latency={latency!r} says what an inference takes; "
        "leave the call out."
    )


@dataclass(frozen=True)
class Measured(LatencyModel):
    """Charges each decision with the seconds that its own inference took, as they were measured while it was made.

    `chunkenv.evaluate` measures them. In a loop of your own, tell the environment before each step:

        started = time.perf_counter()
        chunk = policy.infer(observation, env.request)
        env.get_wrapper_attr("charge")(time.perf_counter() - started)
        observation, reward, terminated, truncated, info = env.step(chunk)

    What other models add, a network say, comes on top: `Measured() + LogNormal(median=0.01, sigma=0.5)`.

    Args:
        scale: what the seconds are multiplied by, more than 0: 4.0 for a robot whose computer is four times as slow.

    >>> Measured(scale=4.0).charged(0.02)
    Constant(seconds=0.08)
    """

    scale: float = 1.0
    measured: bool = field(init=False, default=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        assign(self, scale=real_number("scale", self.scale, at_least=0.0))
        if self.scale == 0.0:
            raise ArgumentError("scale=0.0 charges nothing; give a number above 0, or latency=0.")

    def charged(self, seconds: float) -> Constant:
        """The seconds, times the scale."""
        return Constant(self.scale * seconds)

    def draw(self, rng: np.random.Generator, state: State) -> NoReturn:
        """It has nothing to draw from.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError(
            f"{self!r} cannot be drawn from: it is what an inference took; call charge(seconds) of the environment "
            "before each step (chunkenv.evaluate does), or give a model that draws, such as Trace."
        )
