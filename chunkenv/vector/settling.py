"""What is settled with the chunks of N environments only: what the agent chooses, and what inferences really took."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.latency.measured import not_measured
from chunkenv.request import Chunk
from chunkenv.utils.batching import BatchReader
from chunkenv.utils.spaces import read_array
from chunkenv.utils.types import AnySpace
from chunkenv.vector.delay_streams import VectorDelays
from chunkenv.wrappers.decision_space import DecisionSpace


class Settled(NamedTuple):
    """What N decisions say: chunks, and the horizons and the delays, [N] each (None where they are not settled so)."""

    chunk: Chunk
    horizon: np.ndarray | None
    delay: np.ndarray | None


class Settling:
    """Reads decisions, and keeps what inferences are charged until then.

    Args:
        decisions: of one environment: a `DecisionSpace`, or the space of chunks.
        delays: of all environments.
        num_envs: N.

    Attributes:
        decisions: the `DecisionSpace` of one environment, or None if nothing is chosen.
    """

    def __init__(self, decisions: AnySpace, delays: VectorDelays, num_envs: int) -> None:
        self.decisions = decisions if isinstance(decisions, DecisionSpace) else None
        self._read = BatchReader(decisions, num_envs, "action" if self.decisions else "chunk")
        self._delays = delays
        self._charged = np.zeros(num_envs, bool)
        self._charge = np.zeros(num_envs, np.int64)

    def reset(self, members: np.ndarray) -> None:
        """Forget what some environments (bool[N]) were charged."""
        self._charged[members] = False

    def charge(self, seconds: object, members: np.ndarray) -> None:
        """Keep what the inferences of some environments (bool[N]) took, until their decision is read.

        Raises:
            ArgumentError: the latency is not measured, or the seconds do not fit.
        """
        if not self._delays.measured:
            raise not_measured(seconds, self._delays.plain)
        drawn = self._delays.charged(_read_seconds(seconds, len(members)), members)
        self._charge = np.where(members, drawn, self._charge)
        self._charged |= members

    def read(self, actions: object, resetting: np.ndarray, free: np.ndarray) -> Settled:
        """What the actions, and what was charged, make of the present requests.

        Args:
            actions: of N environments.
            resetting: bool[N], those whose action is ignored.
            free: bool[N], those whose chunk is there at once.

        Raises:
            ActionError: an action that cannot be read.
            ArgumentError: an inference that is to be charged was not.
        """
        chunk, horizon, delay = self._read(actions, ignored=resetting), None, None
        if self.decisions:
            chunk, horizon, delay = self.decisions.read(chunk)
        if self._delays.measured:
            delay = self._take_charges(resetting | free)
        return Settled(chunk, horizon, delay)

    def _take_charges(self, needless: np.ndarray) -> np.ndarray:
        """What was charged for these decisions; the next ones need charges of their own."""
        missing = np.flatnonzero(~(self._charged | needless))
        if missing.size:
            raise ArgumentError(
                f"latency={self._delays.plain!r} charges what inferences took, but nobody has said that of the "
                f"environments {brief(missing.tolist())}: call charge(seconds) before step, as "
                "chunkenv.evaluate_batch does."
            )
        charged = self._charged.copy()
        self._charged[:] = False
        delays = self._charge.copy()
        delays[~charged] = 0
        return delays


def read_delays(ticks: object, num_envs: int) -> np.ndarray:
    """Delays in ticks, int64[N].

    Raises:
        ArgumentError: they are not N whole numbers of at least 0.
    """
    delays = _as_array(ticks)
    if delays is None or delays.shape != (num_envs,) or delays.dtype.kind not in "iu" or delays.min() < 0:
        raise ArgumentError(f"{brief(ticks)} are not delays: give int64[{num_envs}], ticks of at least 0.")
    return delays.astype(np.int64)


def _read_seconds(seconds: object, num_envs: int) -> np.ndarray:
    """Seconds, float64[N]."""
    array = _as_array(seconds)
    fits = array is not None and array.shape == (num_envs,) and array.dtype.kind in "fiu"
    if array is None or not fits or not np.isfinite(array).all() or array.min() < 0:
        raise ArgumentError(
            f"charge({brief(seconds)}) is not the time of {num_envs} inferences: give float64[{num_envs}], seconds of "
            "at least 0."
        )
    return array.astype(np.float64)


def _as_array(value: object) -> np.ndarray | None:
    try:
        return read_array(value, "array", "numbers")
    except ActionError:
        return None
