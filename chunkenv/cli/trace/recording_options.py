"""What the commands about recordings share: the file, and what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import typer

from chunkenv.errors import ArgumentError
from chunkenv.latency import RecordedTrace, read_trace
from chunkenv.latency.trace_file import read_latencies

RecordingFile: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="A recording (`chunkenv trace record` writes one), or a text with one number of seconds a line."
    ),
]


class Recording(NamedTuple):
    """A file that was read.

    Attributes:
        episodes: seconds of each episode, in the order of the requests.
        trace: all that a recording of inferences holds; None for a text of numbers.
    """

    episodes: list[tuple[float, ...]]
    trace: RecordedTrace | None

    @property
    def seconds(self) -> list[float]:
        """All latencies, in their order."""
        return [seconds for episode in self.episodes for seconds in episode]

    @property
    def control_dt(self) -> float | None:
        """Seconds per tick; None if unknown."""
        return None if self.trace is None else self.trace.control_dt


def read_recording(path: Path) -> Recording:
    """What a file holds.

    Raises:
        ArgumentError: if it cannot be read, or is damaged.
    """
    episodes = read_latencies(path)
    try:
        return Recording(episodes, read_trace(path))
    except ArgumentError:  # a text of numbers: what is damaged was refused before
        return Recording(episodes, None)
