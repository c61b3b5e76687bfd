"""The space of decisions where an agent chooses more than a chunk: when to ask again, or how long to think."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.request import Chunk
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import Action, AnySpace, is_list


class ChosenParts(NamedTuple):
    """What an action says: the chunk, and the horizon and the delay in ticks (None where the agent does not choose)."""

    chunk: Chunk
    horizon: Any = None
    delay: Any = None


class DecisionSpace(spaces.Dict):
    """A chunk, and what is chosen with it.

    It has the keys 'chunk', 'horizon' (a Discrete from the least to the largest, in ticks) where the agent chooses the
    execution horizon, and 'delay' (a Discrete that counts `delays` from 0) where it chooses how long to think.

    Args:
        chunks: the space of chunks.
        horizons: the least and the largest execution horizon.
        delays: ticks to choose from.

    >>> space = DecisionSpace(spaces.Box(-1.0, 1.0, (8, 2)), horizons=(2, 8), delays=(0, 2, 4))
    >>> space["horizon"], space["delay"]
    (Discrete(7, start=2), Discrete(3))
    >>> action = space.join((np.zeros((8, 2)), 3), delay=4)
    >>> action["horizon"], action["delay"]
    (3, 2)
    """

    def __init__(
        self, chunks: AnySpace, horizons: tuple[int, int] | None = None, delays: tuple[int, ...] | None = None
    ) -> None:
        self.horizons, self.delays = horizons, delays
        parts: dict[str, AnySpace] = {"chunk": chunks}
        if horizons:
            parts["horizon"] = spaces.Discrete(horizons[1] - horizons[0] + 1, start=horizons[0])
        if delays is not None:
            parts["delay"] = spaces.Discrete(len(delays))
        super().__init__(parts)  # pyright: ignore[reportUnknownMemberType] (gymnasium leaves its seed open)

    @property
    def choices(self) -> dict[str, spaces.Discrete]:
        """What is chosen beside the chunk, by name."""
        return {
            name: part for name, part in self.spaces.items() if isinstance(part, spaces.Discrete) and name != "chunk"
        }

    def join(self, answer: Any, delay: Any = None) -> Action:
        """The action of what a policy returned, for one environment or for many.

        Args:
            answer: a chunk, or `(chunk, horizon)`; without a horizon it is the largest.
            delay: ticks (or int64[N]), where they are chosen; None: the longest.

        Raises:
            ActionError: a delay that is not among the choices.
        """
        chunk, horizon = answer, None
        if self.horizons and self._is_pair(answer):
            chunk, horizon = answer
        count = None if delay is None or np.ndim(delay) == 0 else len(delay)
        action: dict[str, Action] = {"chunk": chunk}
        if self.horizons:
            action["horizon"] = _repeat(self.horizons[1] if horizon is None else horizon, count)
        if self.delays is not None:
            action["delay"] = self.places_of(self.delays[-1] if delay is None else delay)
        return action

    def _is_pair(self, answer: Any) -> bool:
        """Whether it is a chunk with its horizon; a chunk of a Tuple space is a tuple, too."""
        if not is_list(answer, tuple) or len(answer) != 2 or not _is_whole(answer[1]):
            return False
        return not isinstance(self["chunk"], spaces.Tuple) or isinstance(answer[0], tuple)

    def places_of(self, delay: Any) -> Any:
        """Which of the choices delays in ticks are."""
        if np.ndim(delay):
            return np.array([self.places_of(each) for each in delay], np.int64)
        assert self.delays is not None
        if delay not in self.delays:
            raise ActionError(f"the delay {brief(delay)} is none of delays={self.delays}; choose one of them.")
        return self.delays.index(delay)

    def read(self, action: Mapping[str, Any]) -> ChosenParts:
        """The decision of an action, or of a batch of them; the delay in ticks."""
        delay = None
        if self.delays is not None:
            delay = np.asarray(self.delays)[action["delay"]]
        return ChosenParts(action["chunk"], action.get("horizon"), delay)


def _is_whole(value: object) -> bool:
    return np.asarray(value).dtype.kind in "iu" and not is_list(value)


def _repeat(value: Any, count: int | None) -> Any:
    return value if count is None or np.ndim(value) else np.full(count, value)


def read_delay_choices(delays: object) -> tuple[int, ...]:
    """The argument `delays`: ticks to choose from, increasing.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(delays, str) or not is_list(delays, Sequence) or not delays:
        raise ArgumentError(
            f"delays={brief(delays)} is no choice of delays; give ticks to choose from, such as (0, 2, 4)."
        )
    choices = [whole_number(f"delays[{place}]", delay, at_least=0) for place, delay in enumerate(delays)]
    if sorted(set(choices)) != choices:
        raise ArgumentError(f"delays={brief(delays)} must increase; give each delay once, the shortest first.")
    return tuple(choices)
