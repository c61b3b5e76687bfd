"""What an environment asks of a policy: a request, or N of them at once, and the estimate of its delay."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.types import Observation

Chunk: TypeAlias = Any
"""Actions row by row, as `gymnasium.vector.utils.batch_space` lays them out: an array, or a Dict or Tuple of arrays."""

KINDS = ("oracle", "last", "mean", "max")
WINDOWED = ("mean", "max")
WINDOW = 10


class Pending(NamedTuple):
    """A chunk in flight: inferred from an older observation, and not there yet.

    Attributes:
        chunk: all its rows.
        age: ticks since its request: row `age` is the one meant for the present tick.
    """

    chunk: Chunk
    age: int


class Request(NamedTuple):
    """One inference, as its policy sees it.

    Attributes:
        tick: control steps since the reset.
        prefix: rows of the previous chunk that will run while this inference is under way, if its delay is
            `delay_estimate`; in the layout of a chunk. Real rows only: it is as long as `prefix_length` says.
        prefix_length: the number of rows in `prefix`.
        delay_estimate: ticks that this inference is expected to take.
        execution_horizon: ticks until the next request, s, unless the delay is longer.
        left_over: all rows left of the previous chunk, the prefix first: what soft masking looks at.
        rng: the policy's own random stream; None unless `chunkenv.evaluate` gave one.
        pending: the chunks in flight, newest first; at most k - 1 of them, with `max_in_flight=k`. Where several are in
            flight, `prefix` and `left_over` are what runs if each comes when it is expected.
        horizons: the least and the largest execution horizon that the policy may choose; None if it may not.
        delays: the delays in ticks that the policy may choose from; None if it may not.
    """

    tick: int
    prefix: Chunk
    prefix_length: int
    delay_estimate: int
    execution_horizon: int
    left_over: Chunk
    rng: np.random.Generator | None = None
    pending: tuple[Pending, ...] = ()
    horizons: tuple[int, int] | None = None
    delays: tuple[int, ...] | None = None


class VectorPending(NamedTuple):
    """The chunks in flight of N environments, newest first; what is beyond those in flight is filling.

    Attributes:
        chunks: [N, k-1, H, ...], with `max_in_flight=k`.
        mask: bool[N, k-1], which of them are in flight.
        ages: int64[N, k-1], ticks since their requests, 0 beyond.
    """

    chunks: Chunk
    mask: NDArray[np.bool_]
    ages: NDArray[np.int64]


class VectorRequest(NamedTuple):
    """N inferences, as their policy sees them: `chunkenv.Request`, batched.

    Rows beyond the lengths are filling (zeros, where zero is an action), not a plan. An environment that has ended
    shows the request behind its last observation, or an empty one if it terminated.

    Attributes:
        tick: int64[N], control steps since each one's reset.
        prefix: [N, H, ...], rows of the previous chunk that will run while this inference is under way, if its delay is
            `delay_estimate`; in the layout of N chunks.
        prefix_length: int64[N], the number of real rows in `prefix`.
        delay_estimate: int64[N], ticks that each inference is expected to take.
        execution_horizon: ticks until the next request, s, unless the delay is longer.
        left_over: [N, H, ...], all rows left of the previous chunk, the prefix first.
        left_over_length: int64[N], the number of real rows in `left_over`.
        rng: N random streams, one for each environment's episode; None unless `chunkenv.evaluate_batch` gave them.
        pending: the chunks in flight; None with one inference at a time.
        horizons: as `Request.horizons`.
        delays: as `Request.delays`.
        playing: bool[N], whose answers anybody looks at: those of other environments need not be computed, and may be
            anything that can be executed. None: those of all.
    """

    tick: NDArray[np.int64]
    prefix: Chunk
    prefix_length: NDArray[np.int64]
    delay_estimate: NDArray[np.int64]
    execution_horizon: int
    left_over: Chunk
    left_over_length: NDArray[np.int64]
    rng: tuple[np.random.Generator, ...] | None = None
    pending: VectorPending | None = None
    horizons: tuple[int, int] | None = None
    delays: tuple[int, ...] | None = None
    playing: NDArray[np.bool_] | None = None


class Policy(Protocol):
    """What answers requests. A `reset()` without arguments, if there is one, is called before every episode.

    Where it may choose delays (`request.delays`), it also has `budget(observation, request) -> int`, which is asked
    first: how many ticks it will think.

    A policy whose rows come one by one may also have `infer_stream(observation, request)`, a generator of the first
    rows of the chunk that are there by now, [n, ...], where n never falls and rows that are there stay as they are; if
    it ends before the last row, the others never come.
    """

    def infer(self, observation: Observation, request: Request) -> Chunk:
        """The chunk for a request, row 0 meant for the request's tick; all randomness comes from `request.rng`.

        Where it may choose horizons (`request.horizons`), it may return `(chunk, horizon)`.
        """
        ...


class BatchPolicy(Protocol):
    """What answers N requests at once. A `reset()` without arguments, if there is one, is called once, at the start."""

    def infer_batch(self, observations: Observation, request: VectorRequest) -> Chunk:
        """N chunks for N requests; all randomness of row i comes from `request.rng[i]`.

        Row i begins a new episode where `request.tick[i]` is 0: what is remembered of that row ends there. No row may
        depend on the others.
        """
        ...


class DelayEstimate:
    """How many ticks the next inference is expected to take.

    Args:
        kind: 'oracle' (the delay that will be realised), 'last' (the last one met in this episode), 'mean' (that of the
            last 10 met in this episode, rounded; a half up), 'max' (the largest of them), 'mean:n' or 'max:n' (of the
            last n).
        prior: the estimate of all but 'oracle' before a delay has been met, in ticks.

    Raises:
        ArgumentError: for an unknown kind, or an n below 1.

    >>> estimate = DelayEstimate("max:2", prior=1)
    >>> estimate.predict(5), [estimate.learn(delay) for delay in (4, 3, 2)], estimate.predict(5)
    (1, [None, None, None], 3)
    """

    def __init__(self, kind: str, prior: int) -> None:
        name, colon, count = str(kind).partition(":")
        family = one_of("delay_estimate", name if name in WINDOWED else kind, KINDS)
        self.kind = kind
        window = int(count) if count.isdigit() else count if colon else WINDOW
        size = 1 if family == "last" else whole_number(f"the window n of delay_estimate='{name}:n'", window, at_least=1)
        self._delays: deque[int] = deque(maxlen=size)
        self.prior = prior

    def reset(self) -> None:
        """Forget the delays of the last episode."""
        self._delays.clear()

    def learn(self, delay: int) -> None:
        """Learn what an inference really took."""
        self._delays.append(delay)

    def predict(self, real: int) -> int:
        """The estimate for an inference that will really take `real` ticks."""
        if self.kind == "oracle":
            return real
        if self.kind.startswith("mean") and self._delays:
            return math.floor(sum(self._delays) / len(self._delays) + 0.5)
        return max(self._delays, default=self.prior)
