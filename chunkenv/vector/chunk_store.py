"""The chunks of N environments: kept, and cut into what runs."""

from __future__ import annotations

import numpy as np
from gymnasium.vector.utils import batch_space

from chunkenv.request import Chunk
from chunkenv.utils.spaces import Leaf, map_parts, padding
from chunkenv.utils.types import Action, AnySpace
from chunkenv.vector.clocks import Places
from chunkenv.wrappers.underrun import Underrun


class ChunkStore:
    """The chunk that each environment executed last, and its last action: what prefixes and underruns are made of.

    Args:
        chunks: the space of one chunk.
        action_space: the space of one action.
        underrun: what acts in a tick without a row.
        num_envs: N.
    """

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

    def actions(self, chunks: Chunk, places: Places) -> Action:
        """The actions of each environment's ticks, batched [N, T, ...], with the chunks of this cycle."""
        each = np.arange(self._num_envs)[:, None]

        def leaf(_: AnySpace, previous: np.ndarray, own: np.ndarray, last: np.ndarray) -> np.ndarray:
            return np.concatenate([previous, own, last[:, None]], axis=1)[each, places.rows]

        return map_parts(leaf, self._chunks, self._previous, chunks, self._last)

    def keep(self, chunks: Chunk, arrived: np.ndarray, actions: Action, played: np.ndarray) -> None:
        """Keep the chunks that have arrived (bool[N]), and the last of the `played` actions (int64[N])."""
        if arrived.all():
            self._previous = chunks
        elif arrived.any():
            self._previous = map_parts(_replace(arrived), self._chunks, self._previous, chunks)
        if self._holds:
            map_parts(_put_last(np.flatnonzero(played), played), self._chunks, self._last, actions)

    def rows_from(self, starts: np.ndarray, lengths: np.ndarray) -> Chunk:
        """Rows of the kept chunks moved to the front, `lengths` of them from `starts` on; the rest is filling."""
        if (starts == starts[0]).all() and (lengths == lengths[0]).all():  # as a constant delay has it: no gathering
            return map_parts(_move_alike(starts[0], lengths[0]), self._chunks, self._previous, self._filling)

        def leaf(_: AnySpace, previous: np.ndarray, filling: np.ndarray) -> np.ndarray:
            number = np.arange(previous.shape[1])
            rows = np.minimum(starts[:, None] + number, len(number) - 1)
            real = number < lengths[:, None]
            moved = previous[np.arange(len(previous))[:, None], rows]
            return np.where(real.reshape(*real.shape, *[1] * (moved.ndim - 2)), moved, filling)

        return map_parts(leaf, self._chunks, self._previous, self._filling)


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
