"""Temporal ensembling: the executed action is a mean of the rows for its tick of all chunks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.request import Policy, VectorRequest
from chunkenv.strategies.requests import read_chunks
from chunkenv.strategies.strategy import Strategy, ask
from chunkenv.utils.checks import real_number
from chunkenv.utils.types import Observation

FORGOTTEN = -(2**40)
"""The tick of a chunk that belongs to an episode that is over: so old that none of its rows counts."""


class TemporalEnsembling(Strategy[Policy]):
    """Each row is the weighted mean of the rows for its tick of all chunks inferred so far in the episode.

    Weights are those of ACT (Zhao et al. 2023, arXiv 2304.13705, section IV-B and released code): exp(-m * i), i = 0
    for the oldest chunk that covers the tick, so that old chunks count most, and a small m trusts new ones sooner.

    Delay: a chunk enters the mean at the request it answers, so from the tick on at which it arrives; while it is
    inferred, the rows of the mean before it run. ACT infers at every tick (an execution horizon of 1); with a longer
    one fewer chunks cover a tick, ceil(H / s) at most. It averages over what it should choose between: two chunks that
    pass an obstacle on different sides have a mean that hits it.

    In a batch each row has a memory of its own, and begins anew wherever `request.tick` is 0.

    Args:
        policy: anything with `infer`, whose actions are real numbers.
        decay: m, at least 0: 0 is the plain mean.

    Raises:
        ArgumentError: no policy, or an invalid decay.

    >>> from types import SimpleNamespace
    >>> from chunkenv import Request
    >>> none = np.zeros((0, 1))
    >>> counting = SimpleNamespace(infer=lambda observation, request: np.full((4, 1), float(request.tick)))
    >>> ensemble = TemporalEnsembling(counting, decay=0.0)
    >>> for tick in (0, 2):
    ...     chunk = ensemble.infer(np.zeros(1), Request(tick, none, 0, 0, 2, none))
    >>> chunk[:, 0].tolist()  # two rows of the first chunk are for the same ticks
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, policy: Policy, decay: float = 0.01) -> None:
        super().__init__(policy)
        self.decay = real_number("decay", decay, at_least=0.0)
        self._forget()

    def reset(self) -> None:
        """Start an episode in every row."""
        super().reset()
        self._forget()

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The means for many requests, [N, H, ...].

        Raises:
            ArgumentError: the policy's actions are no real numbers, or the batch has another size than the one
                before it.
        """
        self._begin(request.tick)
        chunks = _check_real(read_chunks(ask(self.policy, observations, request)))
        self._chunks.append(chunks.copy())
        self._ticks.append(np.array(request.tick))
        del self._chunks[: -chunks.shape[1]], self._ticks[: -chunks.shape[1]]  # an older one is over: ticks go on
        return self._mean(np.stack(self._chunks), request.tick - np.stack(self._ticks))

    def _forget(self) -> None:
        self._chunks: list[np.ndarray] = []
        self._ticks: list[np.ndarray] = []

    def _begin(self, ticks: np.ndarray) -> None:
        """Forget what belongs to other episodes (all, at tick 0), and chunks of this very tick."""
        if not ticks.any():
            self._forget()
        if self._ticks and len(self._ticks[0]) != len(ticks):
            raise ArgumentError(
                f"infer_batch was given {len(ticks)} observations after {len(self._ticks[0])}; keep to one number "
                "within episodes, or call reset() before."
            )
        for remembered in self._ticks:
            remembered[remembered >= ticks] = FORGOTTEN

    def _mean(self, chunks: np.ndarray, ages: NDArray[np.int64]) -> np.ndarray:
        """The means of chunks [K, N, H, ...], the oldest first, that are `ages` [K, N] ticks old."""
        horizon: int = chunks.shape[2]
        rows = ages[:, :, None] + np.arange(horizon)
        covers = rows < horizon
        rank = np.cumsum(covers, axis=0) - 1
        weights = np.where(covers, np.exp(-self.decay * rank), 0.0).astype(chunks.dtype)
        trailing = (1,) * (chunks.ndim - 3)
        weights = weights.reshape(*weights.shape, *trailing)
        places = np.minimum(rows, horizon - 1).reshape(*rows.shape, *trailing)
        return (weights * np.take_along_axis(chunks, places, axis=2)).sum(axis=0) / weights.sum(axis=0)


def _check_real(chunks: np.ndarray) -> np.ndarray:
    if chunks.dtype.kind != "f":
        raise ArgumentError(
            f"The policy's actions have dtype {chunks.dtype}, and temporal ensembling averages: it needs real numbers."
        )
    return chunks
