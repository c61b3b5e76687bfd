"""The delays of N environments, each from a random stream of its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from chunkenv.latency import Delays
from chunkenv.request import DelayEstimate
from chunkenv.utils.seeding import Stream


class VectorDelays:
    """Delays in ticks; a constant one costs nothing per environment.

    Where rows stream, they are object arrays: of each environment a delay, or one for each row, as a tuple.

    Episodes of a recording are handed out in the order in which episodes begin here, of whatever environment.

    Args:
        delays: those of one environment.
        depths: for each environment, how many `ChunkedExecution` wrappers lie inside.

    Attributes:
        streams: whether rows come one by one.
        measured: whether `charged` takes the place of `next`.
        plain: the latency as plain data.
    """

    streams = measured = False
    plain: object = None
    _episodes = 0
    """How many have begun."""

    def __init__(self, delays: Delays, depths: Sequence[int]) -> None:
        self.constant, self.control_dt, self.plain = delays.constant, delays.control_dt, delays.plain
        self.streams, self.measured = delays.streams, delays.measured
        each = depths if self.constant is None else ()
        self._delays = [copy.copy(delays) for _ in each]
        self._streams = [Stream("latency", depth) for depth in each]
        self._num_envs = len(depths)

    def reset(self, members: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Start episodes in some environments (bool[N])."""
        if self.constant is None:
            for index in np.flatnonzero(members).tolist():
                self._delays[index].reset(self._streams[index].begin(seeds[index]), self._episodes)
                self._episodes += 1

    def next(self, members: np.ndarray) -> np.ndarray:
        """The next delays of some environments, int64[N], 0 elsewhere; the others' streams are left alone.

        Raises:
            ArgumentError: if a latency model drew something that is no latency.
        """
        if self.constant is not None:
            return np.where(members, self.constant, 0)
        drawn = self._zeros()
        for index in np.flatnonzero(members).tolist():
            drawn[index] = self._delays[index].next()
        return drawn

    def charged(self, seconds: np.ndarray, members: np.ndarray) -> np.ndarray:
        """What `next` is for a latency that is measured: the delays of inferences that took `seconds`, float64[N]."""
        charged = self._zeros()
        for index in np.flatnonzero(members).tolist():
            charged[index] = self._delays[index].charged(float(seconds[index]))
        return charged

    def _zeros(self) -> np.ndarray:
        return np.zeros(self._num_envs, object if self.streams else np.int64)


class VectorEstimate:
    """How many ticks the next inferences are expected to take.

    Args:
        estimate: that of one environment.
        num_envs: N.
    """

    def __init__(self, estimate: DelayEstimate, num_envs: int) -> None:
        self.kind = estimate.kind
        self._oracle = estimate.kind == "oracle"
        self._each = [] if self._oracle else [copy.deepcopy(estimate) for _ in range(num_envs)]

    def reset(self, members: np.ndarray) -> None:
        """Forget the delays of some environments' (bool[N]) last episodes."""
        if not self._oracle:
            for index in np.flatnonzero(members).tolist():
                self._each[index].reset()

    def learn(self, delays: np.ndarray, members: np.ndarray) -> None:
        """Learn what some environments' inferences really took."""
        if not self._oracle:
            for index in np.flatnonzero(members).tolist():
                self._each[index].learn(int(delays[index]))

    def predict(self, real: np.ndarray) -> np.ndarray:
        """The estimates for inferences that will really take `real` ticks, int64[N]."""
        if self._oracle:
            return real.copy()
        return np.array(
            [estimate.predict(int(delay)) for estimate, delay in zip(self._each, real, strict=True)], np.int64
        )
