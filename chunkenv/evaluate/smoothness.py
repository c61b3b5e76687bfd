"""How an episode moved: how old its actions' observations were, and how smooth its actions."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from chunkenv.evaluate.row import SMOOTHNESS
from chunkenv.utils.types import Action, AnySpace, Info


class SmoothnessMetrics:
    """Collects the `info` of every tick of an episode, and averages it.

    Actions are those commanded, clipped to the action space, before any noise; changes are Euclidean norms between
    neighbouring ticks, in units of the action. A tick without a row counts to the chunk before it.

    Args:
        chunks: the space of a chunk, and so of its rows. If they are no Box, only the staleness is measured.

    >>> metrics = SmoothnessMetrics(spaces.Box(-1, 1, (8, 1)))
    >>> first = dict(actions=[[0.0], [0.1]], sources=np.array([[0, 0], [0, 1]]), staleness=np.array([0, 1]))
    >>> metrics.add(first)
    >>> metrics.add(first | dict(actions=[[0.5], [0.6]]))
    >>> {name: round(value, 3) for name, value in metrics.measures().items()}
    {'mean_staleness': 0.5, 'boundary_jump': 0.4, 'chunk_change': 0.1, 'jerk': 0.6}
    """

    def __init__(self, chunks: AnySpace) -> None:
        self._bounds = (chunks.low[0].ravel(), chunks.high[0].ravel()) if isinstance(chunks, spaces.Box) else None
        self._actions: list[Action] = []
        self._ages: list[np.ndarray] = []
        self._staleness: list[np.ndarray] = []

    def add(self, info: Info) -> None:
        """Take one decision's `actions`, `sources` and `staleness`, of `ChunkedExecution(..., info='actions')`."""
        if self._bounds:
            self._actions += info["actions"]
        self._ages.append(info["sources"][:, 0])
        self._staleness.append(info["staleness"])

    def measures(self) -> dict[str, float | None]:
        """The values of `SMOOTHNESS`, None where an episode was too short.

        Returns:
            `mean_staleness` (ticks, over the ticks that had a row), `boundary_jump` (mean change where the executed
            chunk switches), `chunk_change` (mean change inside chunks), `jerk` (mean norm of the third difference).
        """
        staleness = np.concatenate([np.zeros(0, np.int64), *self._staleness])
        return {"mean_staleness": _mean(staleness[staleness >= 0]), **self._smoothness()}

    def _smoothness(self) -> dict[str, float | None]:
        if not self._bounds or not self._actions:
            return dict.fromkeys(list(SMOOTHNESS)[1:])
        rows = np.reshape(self._actions, (len(self._actions), -1)).astype(np.float64)
        actions = np.clip(rows, *self._bounds)
        changes, switches = _norms(actions, 1), np.diff(_chunks(self._ages)) != 0
        jump, change = _mean(changes[switches]), _mean(changes[~switches])
        return {"boundary_jump": jump, "chunk_change": change, "jerk": _mean(_norms(actions, 3))}


def _chunks(ages: list[np.ndarray]) -> np.ndarray:
    """The number of the chunk of every tick, of the ages of the chunks in each decision; -1 is a tick without a row.

    >>> _chunks([np.array([-1, 0, 1]), np.array([1, -1]), np.array([0])])
    array([0, 1, 0, 1, 1, 3])
    """
    decisions = np.repeat(np.arange(1, len(ages) + 1), [len(each) for each in ages])
    together = np.concatenate(ages)
    last = np.maximum.accumulate(np.where(together >= 0, np.arange(len(together)), -1))
    return np.where(last < 0, 0, (decisions - together)[last])


def _norms(actions: np.ndarray, order: int) -> np.ndarray:
    return np.linalg.norm(np.diff(actions, order, axis=0), axis=1)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None
