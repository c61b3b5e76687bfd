"""What there is to draw of a run: which row of which chunk acted in each tick, and what the inferences took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from chunkenv.clock import UNDERRUN, Source
from chunkenv.errors import ArgumentError, brief
from chunkenv.timeline.drawing import draw_timeline
from chunkenv.utils.checks import real_number, whole_number
from chunkenv.utils.types import Info


class InferenceTimes(NamedTuple):
    """An inference, as a timeline draws it.

    Attributes:
        request: the tick whose observation it started from.
        delays: for each row of its chunk the ticks until the row is there, nondecreasing. Rows beyond the last never
            come: () is an inference that has not answered.
        seconds: what it took on the wall clock; None if unknown.
    """

    request: int
    delays: tuple[int, ...]
    seconds: float | None = None

    @property
    def arrives(self) -> int | None:
        """The tick from which the chunk may act; None if it has not come."""
        return self.request + self.delays[0] if self.delays else None

    @property
    def finishes(self) -> int | None:
        """The tick in which the last row is there, and the inference is over; None if it has not answered."""
        return self.request + self.delays[-1] if self.delays else None

    def delay_of(self, row: int) -> int | None:
        """Ticks from the request until a row is there; None if it never comes."""
        return self.delays[row] if row < len(self.delays) else None


@dataclass(frozen=True)
class Timeline:
    """Which chunk acts when, what is in flight, what is late: one episode, or its beginning.

    Chunk m answers inference m, counted from 0. A notebook shows the picture, which `draw_timeline` draws.

    Args:
        prediction_horizon: rows in a chunk, H.
        sources: for each tick the chunk's age and the row that acted, as `Cycle.sources`, `TickClock.next` and
            `info["sources"]` have them: age 0 is the chunk of the newest request; (-1, -1) is an underrun.
        inferences: the inferences, in the order of their requests.
        control_dt: seconds per tick: the picture gets an axis of seconds. None: ticks only.
        late: seconds by which ticks began after their deadline, for the ticks that did (real clock).

    Raises:
        ArgumentError: sources, inferences or late ticks that contradict each other.

    >>> inferences = [InferenceTimes(0, (0, 0, 0, 0)), InferenceTimes(2, (1, 1, 1, 1))]
    >>> timeline = Timeline(4, [(0, 0), (0, 1), (1, 2), (0, 1)], inferences)
    >>> timeline.acted
    ((0, 0), (0, 1), (0, 2), (1, 1))
    >>> print(timeline.summary)
    Ticks 0 to 3: 2 chunks of 4 rows, 1 inference in flight at most, no underrun.
    """

    prediction_horizon: int
    sources: Sequence[tuple[int, int]]
    inferences: Sequence[InferenceTimes]
    control_dt: float | None = None
    late: Mapping[int, float] = field(default_factory=dict[int, float])

    def __post_init__(self) -> None:
        whole_number("prediction_horizon", self.prediction_horizon, at_least=1)
        if self.control_dt is not None and real_number("control_dt", self.control_dt) <= 0:
            raise ArgumentError(f"control_dt={self.control_dt!r} is no time; give the seconds of a tick, such as 0.05.")
        if self.late and self.control_dt is None:
            raise ArgumentError(f"late={brief(dict(self.late))} is in seconds, which need control_dt; give it, too.")
        for tick, seconds in self.late.items():
            whole_number("a tick of late", tick, at_least=0, at_most=max(self.ticks - 1, 0))
            real_number(f"late[{tick}]", seconds, at_least=0.0)
        _check_inferences(self.inferences, self.prediction_horizon)
        for tick in range(self.ticks):
            _check_source(self, tick)

    @classmethod
    def of(
        cls,
        infos: Iterable[Info],
        prediction_horizon: int,
        control_dt: float | None = None,
        late: Mapping[int, float] | None = None,
        seconds: Sequence[float | None] = (),
    ) -> Timeline:
        """The timeline of an episode, from the infos of its decisions.

        Args:
            infos: of the steps of a `ChunkedExecution` with info='actions' or 'full', from the reset on.
            prediction_horizon: rows in a chunk: `env.get_wrapper_attr("prediction_horizon")`.
            control_dt: as `Timeline` has it.
            late: as `Timeline` has it.
            seconds: what the inferences took on the wall clock, in the order of their requests.

        Raises:
            ArgumentError: infos without sources, or as `Timeline` has it.

        >>> import numpy as np
        >>> first = {"sources": np.array([[0, 0], [0, 1]]), "delay": 0}
        >>> second = {"sources": np.array([[1, 2], [0, 1]]), "delay": 1}
        >>> Timeline.of([first, second], prediction_horizon=4).inferences[1]
        InferenceTimes(request=2, delays=(1, 1, 1, 1), seconds=None)
        """
        sources: list[tuple[int, int]] = []
        inferences: list[InferenceTimes] = []
        for number, info in enumerate(infos):
            took = seconds[number] if number < len(seconds) else None
            inferences.append(InferenceTimes(len(sources), _delays_of(info, prediction_horizon), took))
            sources += [(int(age), int(row)) for age, row in info["sources"]]
        return cls(prediction_horizon, tuple(sources), tuple(inferences), control_dt, late or {})

    @cached_property
    def acted(self) -> tuple[tuple[int, int], ...]:
        """For each tick the number of the chunk and of the row that acted; (-1, -1) for an underrun."""
        newest, found = -1, list[tuple[int, int]]()
        for tick, (age, row) in enumerate(self.sources):
            while newest + 1 < len(self.inferences) and self.inferences[newest + 1].request <= tick:
                newest += 1
            found.append((-1, -1) if age < 0 else (newest - age, row))
        return tuple(found)

    @property
    def ticks(self) -> int:
        """How many ticks were played."""
        return len(self.sources)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """For each chunk the tick that its row 0 is meant for: its request's, or its arrival's if the robot waits."""
        rows = [(tick, *acted) for tick, acted in enumerate(self.acted) if 0 <= acted[0] < len(self.inferences)]
        if any(tick - row > self.inferences[chunk].request for tick, chunk, row in rows):
            return tuple(each.request if each.arrives is None else each.arrives for each in self.inferences)
        return tuple(each.request for each in self.inferences)

    def in_flight(self, tick: int) -> int:
        """How many inferences are under way in a tick."""
        under_way = (
            inference.request <= tick and (inference.finishes is None or tick < inference.finishes)
            for inference in self.inferences
        )
        return sum(under_way)

    def is_there(self, chunk: int, tick: int) -> bool:
        """Whether the row of a chunk that is meant for a tick has come by then."""
        delay = self.inferences[chunk].delay_of(tick - self.starts[chunk])
        return delay is not None and self.inferences[chunk].request + delay <= tick

    @property
    def summary(self) -> str:
        """A sentence that says what the picture shows."""
        chunks, rows = len(self.inferences), self.prediction_horizon
        most = max((self.in_flight(tick) for tick in range(self.ticks)), default=0)
        empty = [tick for tick, (chunk, _) in enumerate(self.acted) if chunk < 0]
        parts = [
            f"{count(chunks, 'chunk')} of {count(rows, 'row')}",
            f"{count(most, 'inference')} in flight at most",
            _at_ticks("underrun", empty),
        ]
        if self.late:
            parts.append(_at_ticks("late tick", sorted(self.late)))
        return f"Ticks 0 to {self.ticks - 1}: {', '.join(parts)}."

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return draw_timeline(self)


def count(number: int, thing: str) -> str:
    """A number of things.

    >>> count(1, "chunk"), count(0, "row")
    ('1 chunk', '0 rows')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _at_ticks(thing: str, ticks: Sequence[int]) -> str:
    """How many there are, and where, if they are few."""
    if not ticks:
        return f"no {thing}"
    noun = "tick" if len(ticks) == 1 else "ticks"
    places = f" ({noun} {', '.join(map(str, ticks))})" if len(ticks) <= 8 else ""
    return f"{count(len(ticks), thing)}{places}"


def _delays_of(info: Info, prediction_horizon: int) -> tuple[int, ...]:
    """Ticks until each row was there, as an info says."""
    if "sources" not in info:
        raise ArgumentError("the infos have no 'sources': make the ChunkedExecution with info='actions'.")
    streamed: Any = info.get("row_delays")
    if streamed is not None:
        return tuple(int(delay) for delay in streamed if delay >= 0)  # -1 is a row that never comes
    return (int(info["delay"]),) * prediction_horizon


def _check_inferences(inferences: Sequence[InferenceTimes], prediction_horizon: int) -> None:
    last = -1
    for number, (request, delays, _) in enumerate(inferences):
        if request <= last:
            raise ArgumentError(
                f"inferences[{number}] has its request at tick {request}, after one at tick {last}; give the "
                "inferences in the order of their requests, one a tick at most."
            )
        last = request
        if len(delays) > prediction_horizon or list(delays) != sorted(delays) or any(delay < 0 for delay in delays):
            raise ArgumentError(
                f"inferences[{number}].delays={brief(delays)} are not the ticks until each row is there; give "
                f"{prediction_horizon} whole numbers, nondecreasing, or fewer if the last rows never come."
            )


def _check_source(timeline: Timeline, tick: int) -> None:
    """Refuse a row that no chunk has, and one that its chunk has for another tick, or did not have yet."""
    chunk, row = timeline.acted[tick]
    if (chunk, row) == UNDERRUN:
        return
    named = f"sources[{tick}]={Source(*timeline.sources[tick])}"
    if not (0 <= chunk < len(timeline.inferences) and 0 <= row < timeline.prediction_horizon):
        raise ArgumentError(
            f"{named} is no row of a chunk that was requested by tick {tick}; give the inference of every request, and "
            "the ages as the clock counts them."
        )
    start = timeline.starts[chunk]
    if tick - start != row or not timeline.is_there(chunk, tick):
        raise ArgumentError(
            f"{named} cannot be: row 0 of chunk {chunk} is meant for tick {start}, and its rows come after "
            f"{brief(timeline.inferences[chunk].delays)} ticks; give the sources and the inferences of one episode."
        )
