"""The Euler loop of every flow, from noise to data, by operators only: NumPy, JAX and PyTorch all run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

Array: TypeAlias = Any
"""Of any framework."""
State = TypeVar("State")


def euler(velocity: Callable[[State, float], Any], start: State, steps: int) -> State:
    """Follow a velocity from flow time 0 to 1, in equal steps; unrolled, so that a compiler can fuse more.

    Args:
        velocity: of an array at a flow time.
        start: an array at time 0.
        steps: how many.

    Returns:
        An array like `start`, at time 1.

    >>> euler(lambda state, time: 1.0 + time, 0.0, 2)
    1.25
    """
    state: Any = start
    for step in range(steps):
        state = state + velocity(state, step / steps) / steps
    return state


@dataclass(frozen=True)
class PlainEuler:
    """The loop from noise to a flow's chunks; equal ones share what is compiled.

    Attributes:
        steps: Euler steps.
    """

    steps: int

    def __call__(self, flow: Any, observations: Array, noise: Array) -> Array:
        """The chunks in the flow's space, [N, H, A]; `flow` is anything with a `velocity`."""
        return euler(lambda chunks, time: flow.velocity(observations, chunks, time), noise, self.steps)
