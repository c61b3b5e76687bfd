"""A correction of every action, tick by tick: a small, fast policy beside the large one that is late."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from chunkenv.clock import Source
from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.utils.spaces import read_array
from chunkenv.utils.types import Action, AnySpace, Observation, is_box

Correct: TypeAlias = Callable[[Observation, Action, int, int, np.random.Generator], Any]
"""`correct(observation, row, row_index, tick, rng)`: what is added to the row."""


class Correction:
    """The corrected actions of one environment.

    A correction that stays as it is belongs to the dynamics: the decision process is exact. One that learns meanwhile
    makes it non-stationary.

    Args:
        argument: a function `correct(observation, row, row_index, tick, rng)`, an object with such a method, or the
            name of one, 'package.module:name', which goes through JSON.
        action_space: of one action, a Box of real numbers.

    Raises:
        ArgumentError: it is none of these, or actions are not real numbers.

    >>> from gymnasium import spaces
    >>> damping = lambda observation, row, row_index, tick, rng: -observation
    >>> correction = Correction(damping, spaces.Box(-1.0, 1.0, (1,)))
    >>> correction.apply(np.array([0.25]), np.array([0.5], np.float32), 0, 0, np.random.default_rng(0))
    array([0.25], dtype=float32)
    """

    def __init__(self, argument: object, action_space: AnySpace) -> None:
        if not is_box(action_space) or np.dtype(action_space.dtype).kind != "f":
            raise ArgumentError(f"correction= adds to real numbers, but actions are {action_space}; leave it out.")
        self._space = action_space
        self.corrector = _import(argument) if isinstance(argument, str) else argument
        method = getattr(self.corrector, "correct", self.corrector)
        if not callable(method) or isinstance(self.corrector, type):
            raise ArgumentError(
                f"correction={brief(argument)} cannot correct; give a function or an object with the method "
                "correct(observation, row, row_index, tick, rng) that returns what is added to the row."
            )
        self._correct: Correct = method

    def apply(
        self, observation: Observation, row: Action, row_index: int, tick: int, rng: np.random.Generator
    ) -> Action:
        """The corrected row.

        Raises:
            ActionError: the correction cannot be read, has another shape, or is not finite.
        """
        return self.add(row, self._correct(observation, row.copy(), row_index, tick, rng), tick)

    def begin(
        self, sources: Sequence[Source], tick: int, holds: bool, rng: np.random.Generator, executed: list[Action]
    ) -> Callable[[int, Observation, Action], Action]:
        """What corrects the ticks of a decision, one after the other, and puts their actions into `executed`.

        Args:
            sources: of each tick.
            tick: the first one's.
            holds: whether an underrun repeats what acted before; it is not corrected again.
            rng: the stream of corrections.
            executed: an empty list.
        """

        def correct(place: int, observation: Observation, action: Action) -> Action:
            source = sources[place]
            if source.age >= 0:
                action = self.apply(observation, action, source.row, tick + place, rng)
            elif holds and executed:
                action = executed[-1].copy()
            executed.append(action.copy())
            return action

        return correct

    def add(self, row: Action, correction: Any, tick: int) -> Action:
        """A row, or rows [N, ...], with what was returned for it."""
        added = read_array(correction, "correction", f"an array of shape {row.shape}")
        if added.shape != row.shape or added.dtype.kind not in "fiu" or not np.isfinite(added).all():
            raise ActionError(
                f"the correction at tick {tick} is {brief(correction)}; expected finite numbers of shape {row.shape}. "
                "Call reset() to go on."
            )
        # No further beyond the bounds than the row is itself: zero changes nothing.
        low, high = np.minimum(self._space.low, row), np.maximum(self._space.high, row)
        return np.clip(row + added, low, high).astype(row.dtype)


def _import(name: str) -> object:
    module, _, qualname = name.partition(":")
    try:
        return operator.attrgetter(qualname)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError(
            f"correction={name!r} cannot be imported ({error}); write 'package.module:name'."
        ) from error
