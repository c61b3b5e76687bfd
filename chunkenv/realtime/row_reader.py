"""Reads the rows that a policy streams: arrays that grow, each with the rows of the one before in front."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence

from chunkenv.errors import ActionError, brief
from chunkenv.request import Chunk
from chunkenv.utils.spaces import Checked, chunk_space, cut, map_parts, padding, read_array, split
from chunkenv.utils.types import Action, AnySpace


class RowReader:
    """Reads what `Policy.infer_stream` yields: the rows of a chunk that are there by now.

    Args:
        action_space: of one action.
        prediction_horizon: rows of a whole chunk, H.

    >>> read = RowReader(spaces.Discrete(2), prediction_horizon=4)
    >>> [(chunk.tolist(), rows) for chunk, rows in read(iter([[1], [1], [1, 0, 1]]))]
    [([1, 0, 0, 0], 1), ([1, 0, 1, 0], 3)]
    """

    def __init__(self, action_space: AnySpace, prediction_horizon: int) -> None:
        self._action_space, self._horizon = action_space, prediction_horizon
        self._chunks = chunk_space(action_space, prediction_horizon)

    def __call__(self, parts: Iterable[object]) -> Iterator[tuple[Chunk, int]]:
        """Whenever there are more rows: a checked copy of them, filled up to H rows, and how many are there.

        Raises:
            ActionError: rows that cannot be executed, fewer or others than before, more than H, or none at all.
        """
        before: list[Action] = []
        for part in parts:
            if not (count := self._count(part)) and not before:
                continue  # nothing is there yet
            _expect_no_fewer(len(before), count)
            space = chunk_space(self._action_space, count)
            chunk = Checked(space, "chunk")(part)
            rows = split(space, chunk)
            _expect_the_same(before, rows)
            if count > len(before):
                yield self._fill(space, chunk, count), count
            before = rows
        if not before:
            raise ActionError("the stream ended without a row; yield at least row 0.")

    def _count(self, part: Any) -> int:
        """How many rows a part has, by its first leaf."""
        space, leaf = self._action_space, part
        while isinstance(space, spaces.Dict | spaces.Tuple):
            key, part_space = next(iter(space.items())) if isinstance(space, spaces.Dict) else (0, space[0])
            try:
                space, leaf = part_space, leaf[key]
            except (KeyError, IndexError, TypeError):
                raise ActionError(f"{brief(part)} has no part {key!r}; yield rows of {self._action_space}.") from None
        shape = np.shape(read_array(leaf, "chunk", "the rows that are there"))
        if not shape or shape[0] > self._horizon:
            raise ActionError(f"{brief(part)} is not up to {self._horizon} rows; yield an array of those there are.")
        return shape[0]

    def _fill(self, space: AnySpace, chunk: Chunk, count: int) -> Chunk:
        rest = cut(self._chunks, padding(self._chunks), slice(count, None))
        return map_parts(lambda _, *halves: np.concatenate(halves), space, chunk, rest)


def _expect_no_fewer(before: int, count: int) -> None:
    if count < before:
        raise ActionError(f"{count} rows came after {before}; yield all that are there, each time.")


def _expect_the_same(before: list[Action], rows: list[Action]) -> None:
    """Rows that are there may have run already."""
    for row, (old, new) in enumerate(zip(before, rows, strict=False)):
        if not data_equivalence(old, new, exact=True):
            raise ActionError(f"row {row} was {brief(old)} and is {brief(new)}; rows that are there must stay.")
