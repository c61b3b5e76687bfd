"""The arithmetic of chunks, delays and discounts: the only place that has it.

Time is an integer tick, one control step of the environment. At tick t an inference starts from the observation of
t; it takes `delay` ticks; its chunk has H rows, row i meant for tick t + i. Its *cycle* lasts until the next request:

    overlap:      the rows left of the previous chunk run while the inference is under way (the prefix), then the new
                  chunk from row `delay` on; the next request comes after max(s, delay) ticks
    no overlap:   nothing is planned for `delay` ticks, then rows 0 .. s-1 run; the next request comes after delay + s
    underrun:     a tick with no row left

For constant delay <= s <= H - delay this is Real-Time Chunking's rule `prev[:d] + new[d:s]`, shifted by s (Black et
al. 2025, arXiv 2506.07339), from the second cycle on. A row runs at its own tick or never (overlap).

`ChunkClock` goes from request to request, as a simulation does, which knows the delay beforehand; `TickClock` goes from
tick to tick and learns the delay when the chunk arrives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, true_or_false, whole_number


class Source(NamedTuple):
    """Where the action of a tick came from: `age` 0 is the chunk of this cycle, 1 the one before; `row` is its row."""

    age: int
    row: int


UNDERRUN = Source(-1, -1)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What runs from one request to the next: first `prefix`, then `underruns` empty ticks, then `own`.

    Attributes:
        delay: ticks that the inference really takes.
        prefix: rows of the previous chunk that run while the inference is under way.
        underruns: ticks with no row.
        own: rows of this cycle's chunk that run before the next request.
        superseded: rows of the previous chunk that this one replaces when it arrives.
        late: rows of this chunk whose ticks were over when it arrived.
        unused: rows of this chunk that a synchronous robot throws away at the next request.
        kept: rows of this chunk that the robot keeps for after the next request: H, or 0 for a synchronous one.
    """

    delay: int
    prefix: range
    underruns: int
    own: range
    superseded: int
    late: int
    unused: int
    kept: int

    @property
    def ticks(self) -> int:
        """Ticks until the next request, if the episode goes on."""
        return len(self.prefix) + self.underruns + len(self.own)

    def sources(self, played: int | None = None) -> list[Source]:
        """The source of each of the first `played` ticks (all, if None)."""
        rows = (
            [Source(1, row) for row in self.prefix] + [UNDERRUN] * self.underruns + [Source(0, row) for row in self.own]
        )
        return rows[:played]

    def staleness(self, played: int | None = None) -> list[int]:
        """Age in ticks, per tick, of the observation behind the executed action; -1 for an underrun.

        A row of the previous chunk is as old as its number (overlap); a row of this one as the ticks since the request.
        """
        return [{1: source.row, 0: tick, -1: -1}[source.age] for tick, source in enumerate(self.sources(played))]

    def underruns_within(self, played: int) -> int:
        """How many of the first `played` ticks had no row."""
        return min(max(played - len(self.prefix), 0), self.underruns)

    def discarded(self, played: int, ended: bool) -> int:
        """Rows thrown away in the first `played` ticks; what is left when an episode ends is dropped, not discarded."""
        arrived = self.superseded + self.late if self.arrived_by(played) else 0
        return arrived + (0 if ended else self.unused)

    def arrived_by(self, played: int) -> bool:
        """Whether this cycle's chunk is there after `played` ticks.

        >>> plan_cycle(8, 4, True, range(4, 8), 2).arrived_by(2)
        True
        """
        return played >= self.delay

    def left_after(self, played: int) -> range:
        """Rows left after `played` ticks: of this cycle's chunk if it has arrived, else of the previous one."""
        if self.arrived_by(played):
            return range(min(played, self.kept), self.kept)
        stop = self.prefix.stop + self.superseded
        return range(min(self.prefix.start + played, stop), stop)


@lru_cache(maxsize=4096)
def plan_cycle(prediction_horizon: int, execution_horizon: int, overlap: bool, left: range, delay: int) -> Cycle:
    """The cycle of a request at which the rows `left` of the previous chunk are still to run.

    >>> plan_cycle(8, 4, True, range(4, 8), 2).sources()[:3]
    [Source(age=1, row=4), Source(age=1, row=5), Source(age=0, row=2)]
    """
    horizon = prediction_horizon
    if not overlap:
        own, unused = range(execution_horizon), horizon - execution_horizon
        return Cycle(delay, range(0), delay, own, len(left), 0, unused, 0)
    prefix = left[:delay]
    ticks = max(execution_horizon, delay)
    late = min(delay, horizon)
    return Cycle(
        delay=delay,
        prefix=prefix,
        underruns=delay - len(prefix),
        own=range(late, max(late, min(ticks, horizon))),
        superseded=len(left) - len(prefix),
        late=late,
        unused=0,
        kept=horizon,
    )


class _Clock:
    """The settings of both clocks, checked."""

    tick: int
    cold: bool

    def __init__(
        self,
        prediction_horizon: int,
        execution_horizon: int | None = None,
        overlap: bool = True,
        cold_start: str = "free",
        typical_delay: int = 0,
    ) -> None:
        horizon = self.prediction_horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        self.overlap = true_or_false("overlap", overlap)
        longest = max(1, horizon - typical_delay) if self.overlap else horizon
        executed = longest if execution_horizon is None else execution_horizon
        self.execution_horizon = whole_number("execution_horizon", executed, at_least=1)
        if self.execution_horizon > horizon:
            raise ArgumentError(
                f"execution_horizon={self.execution_horizon} is more than prediction_horizon={horizon}: "
                f"a chunk has only {horizon} rows to execute; choose one from 1 to {horizon}."
            )
        self.cold_start = one_of("cold_start", cold_start, ("free", "charged"))
        self.reset()

    def reset(self) -> None:
        """Start an episode: nothing of the last one survives."""
        self.tick = 0
        self.cold = True

    @property
    def next_is_free(self) -> bool:
        """Whether the chunk of the next request is there at once, whatever an inference takes."""
        return self.cold and self.cold_start == "free"


class ChunkClock(_Clock):
    """The clock of one environment, cycle by cycle: the rows left, and what a request with a given delay will play.

    Args:
        prediction_horizon: rows in a chunk, H >= 1.
        execution_horizon: ticks between two requests, 1 <= s <= H. None: as many as leave rows for an inference of
            `typical_delay` ticks, H - typical_delay, at least 1; H for a synchronous robot.
        overlap: whether the robot goes on with the previous chunk during inference; False is the synchronous robot.
        cold_start: 'free' (the first chunk is there at once, as in RTC) or 'charged' (it takes its delay).
        typical_delay: ticks that an inference is expected to take, at least 0.

    Attributes:
        tick: control steps since the reset.
        left: rows left of the previous chunk.
        cold: whether the first request of the episode is still to come.

    Raises:
        ArgumentError: for an invalid horizon or cold start.

    >>> clock = ChunkClock(prediction_horizon=8, execution_horizon=4)
    >>> clock.advance(clock.cycle(delay=2))         # the first chunk is free
    >>> clock.tick, list(clock.prefix(delay=2)), list(clock.left)
    (4, [4, 5], [4, 5, 6, 7])
    >>> ChunkClock(prediction_horizon=8, typical_delay=2).execution_horizon
    6
    """

    def reset(self) -> None:
        """Start an episode: nothing of the last one survives."""
        super().reset()
        self.left = range(0)

    def cycle(self, delay: int) -> Cycle:
        """What the request of this tick plays if its inference takes `delay` ticks (0 on a free cold start)."""
        return self._plan(self.left, 0 if self.next_is_free else delay)

    def steady_cycle(self, delay: int) -> Cycle:
        """What every request plays but the first, if each inference takes `delay` ticks.

        >>> ChunkClock(prediction_horizon=8, execution_horizon=7).steady_cycle(delay=2).underruns
        1
        """
        before = self._plan(range(0), delay)
        return self._plan(before.left_after(before.ticks), delay)

    def prefix(self, delay: int) -> range:
        """Rows of the previous chunk that will run while an inference of `delay` ticks is under way."""
        return self.cycle(delay).prefix

    def advance(self, cycle: Cycle, played: int | None = None) -> None:
        """Go on by `played` ticks of `cycle` (all, if None)."""
        played = cycle.ticks if played is None else played
        self.tick += played
        self.left = cycle.left_after(played)
        self.cold = False

    def _plan(self, left: range, delay: int) -> Cycle:
        return plan_cycle(self.prediction_horizon, self.execution_horizon, self.overlap, left, delay)


class Inference(NamedTuple):
    """An inference of a `TickClock`: which episode's, its number in the episode, and the tick of its request."""

    episode: int
    number: int
    tick: int


class TickClock(_Clock):
    """The clock of one environment, tick by tick: it learns a delay when the chunk arrives.

    In each tick, in this order: `arrive` for every chunk that has come, `request` if an inference starts, `next` for
    the row that runs. Several inferences may be under way (overlap): of the chunks that have arrived, the one with the
    newest request acts. With one at a time, requested whenever one `is_due`, everything is as `ChunkClock` has it.

    Args:
        prediction_horizon: this and the others: as `ChunkClock` has them. On a free cold start the clock waits for the
            first chunk: it must arrive in the tick of its request.

    Attributes:
        tick: the present tick: how often `next` was called since the reset.
        cold: whether the first chunk of the episode is still to arrive.
        in_flight: the inferences under way, in the order of their requests.
        underruns: ticks of the episode with no row.
        discarded: rows of the episode that were thrown away: late on arrival, or replaced before their tick. What is
            left when an episode ends is not counted.
        staleness: age in ticks of the observation behind the action of the last tick; -1 for an underrun.

    Raises:
        ArgumentError: for an invalid horizon or cold start.

    >>> clock = TickClock(prediction_horizon=8, execution_horizon=2)
    >>> first = clock.request(tick=0)
    >>> clock.arrive(first, tick=0), clock.next(), clock.next()
    (True, Source(age=0, row=0), Source(age=0, row=1))
    >>> second, prefix = clock.request(tick=2), clock.prefix(delay=1)
    >>> list(prefix), clock.next()
    ([2], Source(age=1, row=2))
    >>> clock.arrive(second, tick=3), clock.next(), clock.discarded
    (True, Source(age=0, row=1), 6)
    """

    _episode = 0

    def reset(self) -> None:
        """Start an episode: the inferences under way are void, and their chunks are dropped when they arrive."""
        super().reset()
        self._episode += 1
        self._requests = self.underruns = self.discarded = 0
        self.staleness = -1
        self.in_flight: list[Inference] = []
        self._acting: Inference | None = None
        self._start = 0  # the tick that row 0 of the acting chunk is meant for

    @property
    def is_due(self) -> bool:
        """Whether a robot with one inference at a time starts one in this tick."""
        return not self.in_flight and (self._acting is None or self.tick - self._start >= self.execution_horizon)

    @property
    def left(self) -> range:
        """Rows that a request of this tick finds left of the acting chunk; none if the robot is synchronous."""
        return self._remaining() if self.overlap else range(0)

    def prefix(self, delay: int) -> range:
        """Rows of the acting chunk that will run while an inference of `delay` ticks is under way.

        If another chunk arrives before, which takes several inferences in flight, they are replaced.
        """
        return self.left[:delay]

    def request(self, tick: int) -> Inference:
        """Start an inference from the observation of `tick`.

        Returns:
            What `arrive` is told when its chunk is there.

        Raises:
            ArgumentError: `tick` is not the present one, or a synchronous robot already waits for a chunk.
        """
        self._expect_now(tick)
        if not self.overlap and self.in_flight:
            raise ArgumentError(
                f"request(tick={tick}) is the second at once, but overlap=False waits for one chunk at a time: "
                "call arrive first, or choose overlap=True."
            )
        if not self.overlap:
            self._drop_acting()
        inference = Inference(self._episode, self._requests, tick)
        self._requests += 1
        self.in_flight.append(inference)
        return inference

    def arrive(self, inference: Inference, tick: int) -> bool:
        """Learn that a chunk may act from `tick` on; its delay is `tick - inference.tick`.

        Returns:
            Whether it acts; if not, a newer one does (its rows count as discarded), or a reset has made it void.

        Raises:
            ArgumentError: `tick` is not the present one, or the chunk has arrived before.
        """
        if inference.episode != self._episode:
            return False
        self._expect_now(tick)
        if inference not in self.in_flight:
            raise ArgumentError(f"{inference} is not in flight: call arrive once, with what request returned.")
        self.in_flight.remove(inference)
        if self._acting is not None and self._acting.number > inference.number:
            self.discarded += self.prediction_horizon
            return False
        self._drop_acting()
        self._acting, self._start = inference, inference.tick if self.overlap else tick
        self.discarded += self.prediction_horizon - len(self._remaining())
        self.cold = False
        return True

    def next(self) -> Source:
        """What runs in the present tick, which is over then: a row, or `UNDERRUN`.

        Raises:
            ArgumentError: on a free cold start, before the first chunk has arrived.
        """
        if self.next_is_free:
            raise ArgumentError(
                f"cold_start='free' has the first chunk at once, but none has arrived by tick {self.tick}: call "
                "request and arrive before next, or choose cold_start='charged'."
            )
        source, self.staleness = UNDERRUN, -1
        if self._acting is not None and (rows := self._remaining()):
            source = Source(self._requests - 1 - self._acting.number, rows.start)
            self.staleness = self.tick - self._acting.tick
        self.underruns += source is UNDERRUN
        self.tick += 1
        return source

    def _remaining(self) -> range:
        """Rows of the acting chunk that no tick has run or passed over."""
        if self._acting is None:
            return range(0)
        return range(min(self.tick - self._start, self.prediction_horizon), self.prediction_horizon)

    def _drop_acting(self) -> None:
        self.discarded += len(self._remaining())
        self._acting = None

    def _expect_now(self, tick: int) -> None:
        if tick != self.tick:
            raise ArgumentError(f"tick={tick} is not the present tick: give {self.tick}, and call next for every tick.")


def ticks(seconds: float, control_dt: float) -> int:
    """Whole control steps that `seconds` cover, rounded up.

    A ratio within a millionth of a whole number is that number, so that neither 0.1 s at 0.05 s, nor the same out of a
    float32 trace, becomes 3 by rounding.

    >>> ticks(0.1, 0.05), ticks(0.3, 0.1), ticks(0.101, 0.05), ticks(0.0, 0.05)
    (2, 3, 3, 0)
    """
    ratio = seconds / control_dt
    nearest = round(ratio)
    if abs(ratio - nearest) <= 1e-6 * max(1.0, ratio):
        return nearest
    return math.ceil(ratio)


def discounted_sum(rewards: Sequence[float], discount: float) -> float:
    """The reward of a decision: sum over i of discount**i * rewards[i] (Sutton, Precup and Singh 1999); 0.0 if none.

    >>> discounted_sum([1.0, 1.0, 1.0], 0.5)
    1.75
    """
    if not rewards:
        return 0.0
    total = float(rewards[-1])
    for reward in rewards[-2::-1]:
        total = float(reward) + discount * total
    return total


def bootstrap_discount(discount: float, ticks: int, terminated: bool) -> float:
    """What the value after a decision of `ticks` ticks is multiplied by: discount**ticks, 0 once the task has ended.

    A truncation keeps it: the task would have gone on.

    >>> bootstrap_discount(0.5, 3, terminated=False), bootstrap_discount(0.5, 3, terminated=True)
    (0.125, 0.0)
    """
    return 0.0 if terminated else discount**ticks


def discounted_sums(rewards: np.ndarray, ticks: np.ndarray, discount: float) -> np.ndarray:
    """`discounted_sum` of the first `ticks[i]` of each row of `rewards`, float64[N], to the bit.

    >>> discounted_sums(np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 0.0]]), np.array([3, 1]), 0.5)
    array([1.75, 2.  ])
    """
    if rewards.shape[1] and (ticks == rewards.shape[1]).all():
        return _discounted_whole(rewards, discount)
    total = np.zeros(len(rewards))
    for tick in range(rewards.shape[1] - 1, -1, -1):
        now = rewards[:, tick]
        last, played = ticks == tick + 1, ticks > tick
        total = np.where(last, now, np.where(played, now + discount * total, total))
    return total


def _discounted_whole(rewards: np.ndarray, discount: float) -> np.ndarray:
    """`discounted_sums` of whole rows, which most decisions are."""
    total = rewards[:, -1].astype(np.float64)
    for tick in range(rewards.shape[1] - 2, -1, -1):
        total = rewards[:, tick] + discount * total
    return total
