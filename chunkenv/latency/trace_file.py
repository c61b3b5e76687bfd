"""Recordings of inferences as files: JSON lines, version 1.

The first line says what it is and how long a tick was; then there is a line for every inference, in the order of the
requests:

    {"chunkenv_trace": 1, "control_dt": 0.02}
    {"episode": 0, "request_tick": 0, "latency_s": 0.0312, "delay_ticks": null, "late": 0}
    {"episode": 0, "request_tick": 4, "latency_s": 0.0331, "delay_ticks": 2, "late": 0}
    {"episode": 0, "request_tick": 8, "latency_s": null, "delay_ticks": 3, "late": 1}

What the numbers mean is said by `TraceRow`. Other keys may stand beside these; they are not read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, NoReturn

from chunkenv.errors import ArgumentError, brief
from chunkenv.latency.arguments import positive, seconds_of
from chunkenv.utils.checks import whole_number
from chunkenv.utils.files import atomic_file
from chunkenv.utils.types import is_mapping

VERSION = 1
HEADER = "chunkenv_trace"


class TraceRow(NamedTuple):
    """One inference of a control loop.

    Attributes:
        episode: number of the episode, from 0 on.
        request_tick: the tick whose observation it started from; ticks count from the reset.
        latency_s: seconds from its start to its end. None if nobody knows: it was under way when the episode ended.
        delay_ticks: ticks from the request to the tick in which control had the chunk, counted on if the episode ended
            before. If nobody waited for it then: ticks to the end of the episode, the least that fits. None if nothing
            was charged: the first chunk of an episode with cold_start='free', which control waits for.
        late: how many control ticks began late (by more than a tenth of a tick) meanwhile: of those after the request,
            up to the one in which control had the chunk. More than 0 explains a delay shorter than the latency.
    """

    episode: int
    request_tick: int
    latency_s: float | None
    delay_ticks: int | None
    late: int = 0


class RecordedTrace(NamedTuple):
    """What a file holds.

    Attributes:
        control_dt: seconds per tick.
        rows: inferences in the order of their requests, at least one.
    """

    control_dt: float
    rows: tuple[TraceRow, ...]


def write_trace(path: str | os.PathLike[str], rows: Iterable[TraceRow], control_dt: float) -> None:
    """Write a recording; the file is written atomically.

    Args:
        path: of the file.
        rows: inferences in the order of their requests, at least one.
        control_dt: seconds per tick, more than 0.

    Raises:
        ArgumentError: for rows or a `control_dt` that `read_trace` would refuse, or a file that cannot be written.
    """
    header = {HEADER: VERSION, "control_dt": positive("control_dt", control_dt)}
    checked: list[TraceRow] = []
    for number, row in enumerate(rows):
        try:
            checked.append(_checked_row(row._asdict(), checked[-1] if checked else None))
        except ValueError as error:
            raise ArgumentError(f"rows[{number}]={tuple(row)!r} cannot be written: {error}") from None
    if not checked:
        raise ArgumentError("rows=[] is no recording; give at least one TraceRow.")
    lines = [json.dumps(each) for each in (header, *(row._asdict() for row in checked))]
    with atomic_file(Path(path)) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def read_trace(path: str | os.PathLike[str]) -> RecordedTrace:
    """Read a recording.

    Raises:
        ArgumentError: if the file cannot be read, or is damaged; the sentence names the file and the line.
    """
    path = os.fspath(path)
    lines = [(number, line) for number, line in enumerate(_read_lines(path), 1) if line.strip()]
    if not lines:
        _refuse(path, "is empty; its first line must say what it is")
    control_dt = _read_header(path, *lines[0])
    rows: list[TraceRow] = []
    for number, line in lines[1:]:
        try:
            rows.append(_checked_row(_parse(line), rows[-1] if rows else None))
        except ValueError as error:
            _refuse(path, f"is damaged in line {number}: {error}", error)
    if not rows:
        _refuse(path, "holds no inference; record at least one")
    return RecordedTrace(control_dt, tuple(rows))


def read_latencies(path: str | os.PathLike[str]) -> list[tuple[float, ...]]:
    """The latencies in seconds of each episode of a recording, or of a text file with one number a line.

    Raises:
        ArgumentError: if the file cannot be read, is damaged, or holds no latency.
    """
    path = os.fspath(path)
    lines = [(number, line.strip()) for number, line in enumerate(_read_lines(path), 1) if line.strip()]
    if not lines:
        raise ArgumentError(f"The trace {path!r} is empty; it needs at least one number of seconds, one a line.")
    if not lines[0][1].startswith("{"):
        return [tuple(_number(path, number, text) for number, text in lines)]
    episodes: dict[int, list[float]] = {}
    for row in read_trace(path).rows:
        if row.latency_s is not None:
            episodes.setdefault(row.episode, []).append(row.latency_s)
    if not episodes:
        raise ArgumentError(f"The trace {path!r} has no latency in seconds: no inference came to its end.")
    return [tuple(episode) for episode in episodes.values()]


def _number(path: str, number: int, text: str) -> float:
    try:
        return seconds_of("latency", float(text))
    except ValueError:
        raise ArgumentError(
            f"The trace {path!r} holds {text[:80]!r} in line {number}; "
            "each line must be one number of seconds of at least 0, without a header."
        ) from None


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read().splitlines()
    except (OSError, ValueError) as error:
        raise ArgumentError(
            f"The trace {path!r} cannot be read as text ({error}); give one number a line, or a recording."
        ) from error


def _read_header(path: str, number: int, line: str) -> float:
    """The seconds per tick."""
    try:
        header = _parse(line)
        version = header.get(HEADER)
        if version is None:
            raise ArgumentError(
                f'{brief(line)} is no header; expected {{"{HEADER}": {VERSION}, "control_dt": seconds}}.'
            )
        if version != VERSION:
            raise ArgumentError(f"it is of version {version!r}, and only version {VERSION} can be read.")
        return positive("control_dt", header.get("control_dt"))
    except ValueError as error:
        _refuse(path, f"is damaged in line {number}: {error}", error)


def _parse(line: str) -> dict[str, object]:
    """The object of a line; numbers that are none in JSON stay text, and are refused as such."""
    try:
        found: object = json.loads(line, parse_constant=str)
    except (ValueError, RecursionError):
        found = None
    if not is_mapping(found):
        raise ArgumentError(f"{brief(line)} is no JSON object; remove the line, or record again.")
    return dict(found)


def _checked_row(row: dict[str, object], before: TraceRow | None) -> TraceRow:
    """A row whose numbers are possible, and which comes after the one before.

    Raises:
        ArgumentError: otherwise, without the place of the row.
    """
    if missing := next((name for name in TraceRow._fields if name not in row), None):
        raise ArgumentError(f"{brief(row)} has no {missing!r}; an inference has {', '.join(TraceRow._fields)}.")
    latency, delay = row["latency_s"], row["delay_ticks"]
    checked = TraceRow(
        whole_number("episode", row["episode"], at_least=0),
        whole_number("request_tick", row["request_tick"], at_least=0),
        None if latency is None else seconds_of("latency_s", latency),
        None if delay is None else whole_number("delay_ticks", delay, at_least=0),
        whole_number("late", row["late"], at_least=0),
    )
    if before is not None and checked[:2] <= before[:2]:
        raise ArgumentError(
            f"episode={checked.episode} and request_tick={checked.request_tick} do not come after "
            f"episode={before.episode} and request_tick={before.request_tick}; rows stand in the order of requests."
        )
    if checked.delay_ticks is None and checked.request_tick > 0:
        raise ArgumentError(
            f"delay_ticks=None at request_tick={checked.request_tick} charges nothing, as only the first inference of "
            "an episode may; give ticks."
        )
    return checked


def _refuse(path: str, what: str, error: Exception | None = None) -> NoReturn:
    sentence = f"The trace {path!r} {what}"
    raise ArgumentError(sentence if sentence.endswith(".") else f"{sentence}.") from error
