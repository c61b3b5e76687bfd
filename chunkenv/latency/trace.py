"""Latencies that were recorded, out of an array or a file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import assign, seconds_of, share_of
from chunkenv.latency.model import LatencyModel, State
from chunkenv.utils.checks import one_of
from chunkenv.utils.types import is_list


@dataclass(frozen=True)
class Trace(LatencyModel):
    """Latencies that were recorded, such as those of a real robot.

    Args:
        recording: seconds, one or more, as an array or a list; or the path of a text file with one number a line.
        mode: 'replay' (in their order, from an offset that is drawn at every reset, and round the end) or 'resample'
            (each draw is any of them, which keeps the distribution and drops the order).

    >>> Trace([0.02, 0.05, 0.02])
    Trace(recording=(0.02, 0.05, 0.02), mode='replay')
    """

    recording: ArrayLike | os.PathLike[str]
    mode: str = "replay"
    seconds: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        one_of("mode", self.mode, ("replay", "resample"))
        if isinstance(self.recording, str | os.PathLike):
            path = os.fspath(self.recording)
            assign(self, recording=path, seconds=_read_trace(path))
        else:
            recorded = _recorded(self.recording)
            assign(self, recording=recorded, seconds=recorded)

    def begin(self, rng: np.random.Generator) -> State:
        """The index of the next latency (replay)."""
        return int(rng.integers(len(self.seconds))) if self.mode == "replay" else None

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float, State]:
        """The next latency of the recording, or any of it."""
        if self.mode == "replay":
            place = int(state)
            return self.seconds[place], (place + 1) % len(self.seconds)
        return self.seconds[int(rng.integers(len(self.seconds)))], state

    def mean(self) -> float:
        """The mean of the recording."""
        return math.fsum(self.seconds) / len(self.seconds)

    def quantile(self, q: float) -> float:
        """The least recorded latency that a share `q` of the recording does not exceed."""
        return float(np.quantile(self.seconds, share_of("q", q), method="inverted_cdf"))


def _recorded(recording: object) -> tuple[float, ...]:
    """An array or a list as a tuple of seconds."""
    values: object = np.asarray(recording).tolist() if hasattr(recording, "__array__") else recording
    if isinstance(values, bytes) or not is_list(values, Sequence):
        raise ArgumentError(
            f"recording={recording!r} is no trace; give an array or a list of seconds, or a file's path."
        )
    seconds = tuple(seconds_of(f"recording[{i}]", value) for i, value in enumerate(values))
    if not seconds:
        raise ArgumentError(f"recording={recording!r} is empty; give at least one number of seconds.")
    return seconds


def _read_trace(path: str) -> tuple[float, ...]:
    """The numbers of a text file, one a line; blank lines are skipped."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, ValueError) as error:
        raise ArgumentError(f"The trace {path!r} cannot be read as text ({error}); give one number a line.") from error
    seconds = tuple(_cell(path, number, line.strip()) for number, line in enumerate(lines, 1) if line.strip())
    if not seconds:
        raise ArgumentError(f"The trace {path!r} is empty; it needs at least one number of seconds, one a line.")
    return seconds


def _cell(path: str, number: int, text: str) -> float:
    try:
        return seconds_of("latency", float(text))
    except ValueError:
        raise ArgumentError(
            f"The trace {path!r} holds {text[:80]!r} in line {number}; "
            "each line must be one number of seconds of at least 0, without a header."
        ) from None
