"""Chunks, and what is chosen with them, as one flat vector or as flat choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.utils.types import Action, AnySpace, is_box
from chunkenv.wrappers.decision_space import DecisionSpace


class FlatDecisions:
    """The flat form of a space of chunks or of decisions.

    A chunk is laid out row after row. What is chosen with it follows, in the order of the space's names (delay, then
    horizon): one more coordinate each from -1 to 1, cut into equal bins, beside real numbers; one more choice beside
    choices.

    Args:
        space: of chunks (Box or MultiDiscrete), or a `DecisionSpace` with such chunks.

    Attributes:
        space: the flat form, a Box or a MultiDiscrete.

    Raises:
        ArgumentError: chunks have no flat form.

    >>> decisions = DecisionSpace(spaces.Box(-2.0, 2.0, (2, 1)), horizons=(1, 2))
    >>> flat = FlatDecisions(decisions)
    >>> flat.space.high
    array([2., 2., 1.], dtype=float32)
    >>> flat.nest(np.array([0.5, 1.5, 0.9], np.float32))["horizon"]
    np.int64(2)
    """

    def __init__(self, space: AnySpace) -> None:
        self._choices = space.choices if isinstance(space, DecisionSpace) else {}
        self._chunks: AnySpace = space["chunk"] if isinstance(space, DecisionSpace) else space
        self._binned = is_box(self._chunks) and np.dtype(self._chunks.dtype).kind == "f"
        self.space = _flatten(self._chunks, list(self._choices.values()), self._binned)

    def nest(self, flat: np.ndarray) -> Action:
        """The action of a flat vector [n], or the actions of many [N, n]."""
        size = flat.shape[-1] - len(self._choices)
        chunk = np.reshape(flat[..., :size], (*flat.shape[:-1], *(self._chunks.shape or ())))
        if not self._choices:
            return chunk
        named = enumerate(self._choices.items(), size)
        chosen = {name: choice_of(flat[..., place], choices, self._binned) for place, (name, choices) in named}
        return {"chunk": chunk, **chosen}


def choice_of(entries: Any, choices: spaces.Discrete, binned: bool) -> Any:
    """The choices that entries of a flat vector stand for, int64.

    >>> choice_of(np.array([-7.0, -1.0, -0.1, 0.0, 1.0]), spaces.Discrete(4, start=2), binned=True)
    array([2, 2, 3, 4, 5])
    """
    if not binned:
        return np.asarray(entries, np.int64)[()]
    number = int(choices.n)
    place = np.floor((np.asarray(entries, np.float64) + 1.0) / 2.0 * number)
    return np.clip(place, 0, number - 1).astype(np.int64)[()] + int(choices.start)


def _flatten(chunks: AnySpace, choices: Sequence[spaces.Discrete], binned: bool) -> AnySpace:
    starts = np.array([choice.start for choice in choices], np.int64)
    counts = np.array([choice.n for choice in choices], np.int64)
    if isinstance(chunks, spaces.MultiDiscrete):
        start: np.ndarray = chunks.start  # pyright: ignore
        count: np.ndarray = chunks.nvec  # pyright: ignore
        joined = np.append(start, starts), np.append(count, counts)
        return spaces.MultiDiscrete(joined[1], dtype=chunks.dtype, start=joined[0])  # pyright: ignore
    if not is_box(chunks):
        raise ArgumentError(
            f"chunks of {chunks} have no flat form; FlattenChunk takes Box, Discrete and MultiDiscrete."
        )
    low, high = (-np.ones(len(choices)), np.ones(len(choices))) if binned else (starts, starts + counts - 1)
    bounds = [
        np.concatenate([bound.ravel(), more]).astype(chunks.dtype)
        for bound, more in ((chunks.low, low), (chunks.high, high))
    ]
    return spaces.Box(bounds[0], bounds[1], dtype=chunks.dtype)
