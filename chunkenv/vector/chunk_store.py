"""The chunks of N environments: kept, and cut into what runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.vector.utils import batch_space

from chunkenv.request import Chunk
from chunkenv.utils.spaces import Leaf, map_parts, padding
from chunkenv.utils.types import Action, AnySpace
from chunkenv.wrappers.underrun import Underrun


class ChunkStore:
    """The chunks that each environment had last, and its last action: what prefixes and underruns are made of.

    Rows are counted through the chunks, the newest first: row i of the chunk before that is number H + i.

    Args:
        chunks: the space of one chunk.
        action_space: the space of one action.
        underrun: what acts in a tick without a row.
        num_envs: N.
    """

    _older: Sequence[Chunk] = ()
    """The chunks before the newest."""

    def __init__(self, chunks: AnySpace, action_space: AnySpace, underrun: Underrun, num_envs: int) -> None:
        self._chunks = chunks
        self._num_envs = num_envs
        self._holds = underrun.kind == "hold"
        first = underrun.action(None)
        # Without a zero and a first action, an underrun never comes before a row was executed.
        self._first = padding(action_space) if first is None else first
        self._filling = padding(batch_space(chunks, num_envs))
        self._last = map_parts(lambda _, value: np.repeat(np.asarray(value)[None], num_envs, 0), chunks, self._first)
        self._previous = self._filling

    def reset(self, members: np.ndarray) -> None:
        """Forget the last actions of some environments (bool[N])."""
        if self._holds:

            def leaf(_: AnySpace, last: np.ndarray, first: Action) -> None:
                last[members] = first

            map_parts(leaf, self._chunks, self._last, self._first)

    def actions(self, chunks: Chunk, rows: np.ndarray) -> Action:
        """The actions of each environment's ticks, batched [N, T, ...].

        Args:
            chunks: of this cycle.
            rows: int64[N, T], numbers in [chunk of this cycle, kept chunks]; -1 is the last action.
        """
        each = np.arange(self._num_envs)[:, None]

        def leaf(_: AnySpace, last: np.ndarray, *parts: np.ndarray) -> np.ndarray:
            return np.concatenate([*parts, last[:, None]], axis=1)[each, rows]

        return map_parts(leaf, self._chunks, self._last, chunks, self._previous, *self._older)

    def keep(self, chunks: Chunk, arrived: np.ndarray, actions: Action, played: np.ndarray) -> None:
        """Keep the chunks that have arrived (bool[N]), and the last of the `played` actions (int64[N]).

        `forget` says which of the older ones stay; where there are some, all chunks are to arrive.
        """
        self._older = [self._previous, *self._older]
        if arrived.all():
            self._previous = chunks
        elif arrived.any():
            self._previous = map_parts(_replace(arrived), self._chunks, self._previous, chunks)
        if self._holds:
            map_parts(_put_last(np.flatnonzero(played), played), self._chunks, self._last, actions)

    def forget(self, count: int) -> None:
        """Keep the newest `count` chunks only, at least 1."""
        self._older = self._older[: count - 1]

    def rows_from(self, starts: np.ndarray, lengths: np.ndarray) -> Chunk:
        """Rows of the kept chunks moved to the front, `lengths` of them from `starts` on; the rest is filling."""
        if (starts == starts[0]).all() and (lengths == lengths[0]).all():  # as a constant delay has it: no gathering
            return map_parts(_move_alike(starts[0], lengths[0]), self._chunks, self._previous, self._filling)

        def leaf(_: AnySpace, previous: np.ndarray, filling: np.ndarray) -> np.ndarray:
            number = np.arange(previous.shape[1])
            rows = np.minimum(starts[:, None] + number, len(number) - 1)
            return _gather(previous, rows, number < lengths[:, None], filling)

        return map_parts(leaf, self._chunks, self._previous, self._filling)

    def rows_at(self, rows: np.ndarray, lengths: np.ndarray) -> Chunk:
        """Rows of the kept chunks by their numbers (int64[N, H]), `lengths` of them; the rest is filling."""
        real = np.arange(rows.shape[1]) < lengths[:, None]

        def leaf(_: AnySpace, filling: np.ndarray, *kept: np.ndarray) -> np.ndarray:
            return _gather(np.concatenate(kept, axis=1), rows, real, filling)

        return map_parts(leaf, self._chunks, self._filling, self._previous, *self._older)

    def chunks_of(self, requests: np.ndarray) -> Chunk:
        """Kept chunks, whole, [N, n, H, ...]: 1 in int64[N, n] is the newest, and 0 filling."""
        each = np.arange(self._num_envs)[:, None]

        def leaf(_: AnySpace, *kept: np.ndarray) -> np.ndarray:
            return np.stack(kept, axis=1)[each, requests]

        return map_parts(leaf, self._chunks, self._filling, self._previous, *self._older)


def _gather(chunks: np.ndarray, rows: np.ndarray, real: np.ndarray, filling: np.ndarray) -> np.ndarray:
    """Rows [N, H, ...] of each one's chunks, where they are real."""
    moved = chunks[np.arange(len(chunks))[:, None], rows]
    return np.where(real.reshape(*real.shape, *[1] * (moved.ndim - 2)), moved, filling)


def _move_alike(start: int, length: int) -> Leaf:
    def leaf(_: AnySpace, previous: np.ndarray, filling: np.ndarray) -> np.ndarray:
        moved = filling.copy()
        moved[:, :length] = previous[:, start : start + length]
        return moved

    return leaf


def _replace(members: np.ndarray) -> Leaf:
    def leaf(_: AnySpace, old: np.ndarray, new: np.ndarray) -> np.ndarray:
        kept = old.copy()
        kept[members] = new[members]
        return kept

    return leaf


def _put_last(players: np.ndarray, played: np.ndarray) -> Leaf:
    def leaf(_: AnySpace, last: np.ndarray, actions: np.ndarray) -> None:
        last[players] = actions[players, played[players] - 1]

    return leaf
