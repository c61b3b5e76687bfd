"""Latencies that were recorded, out of an array or a file."""

from __future__ import annotations

import itertools
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from chunkenv.errors import ArgumentError, brief
from chunkenv.latency.arguments import assign, seconds_of, share_of
from chunkenv.latency.model import LatencyModel, Spec, State
from chunkenv.latency.trace_file import read_latencies, read_trace
from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.types import is_list


@dataclass(frozen=True, repr=False)
class Trace(LatencyModel):
    """Latencies that were recorded, such as those of a real robot.

    Exact replay takes a recording of `chunkenv.latency.write_trace`, which a real clock or `chunkenv trace record` has
    written. Episode i here, counted by resets, gets the delays of its episode i, in ticks, inference by inference, and
    begins with its first episode again after the last. The members of a vector environment count together, in the order
    in which their episodes begin. So episode i of `chunkenv.evaluate` and `evaluate_batch` replays episode i of the
    recording; what makes an environment for each episode, as a study does, needs `first_episode=None`. With the same
    horizons, cold start and policy everything comes at its tick as recorded. An episode that asks for more inferences
    than were recorded starts over with the recorded episode's first one, and warns.

    Args:
        recording: seconds, one or more, as an array or a list; or the path of a text file with one number a line, or of
            a recording of inferences (whose latencies in seconds are taken, unless the mode is 'exact').
        mode: 'replay' (in their order, from an offset that is drawn at every reset, and round the end), 'resample'
            (each draw is any of them, which keeps the distribution and drops the order), or 'exact' (see above).
        first_episode: the recorded episode that the first reset replays; None draws one at each reset. Of exact replay
            only.

    >>> Trace([0.02, 0.05, 0.02])
    Trace(recording=(0.02, 0.05, 0.02), mode='replay')
    """

    recording: ArrayLike | os.PathLike[str]
    mode: str = "replay"
    first_episode: int | None = 0
    seconds: tuple[float, ...] = field(init=False)
    recorded_dt: float | None = field(init=False, default=None, compare=False)
    _episodes: Mapping[int, tuple[float, ...]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        one_of("mode", self.mode, ("replay", "resample", "exact"))
        assign(self, _episodes={})
        if self.mode == "exact":
            self._read_episodes()
        elif self.first_episode != 0:
            raise ArgumentError(f"first_episode={self.first_episode!r} belongs to mode='exact'; leave it out.")
        elif isinstance(self.recording, str | os.PathLike):
            path = os.fspath(self.recording)
            assign(self, recording=path, seconds=tuple(itertools.chain(*read_latencies(path))))
        else:
            recorded = _recorded(self.recording)
            assign(self, recording=recorded, seconds=recorded)

    def begin(self, rng: np.random.Generator) -> State:
        """The index of the next latency (replay)."""
        return self.begin_episode(rng, 0)

    def begin_episode(self, rng: np.random.Generator, episode: int) -> State:
        """The index of the next latency (replay), or which episode it is and how many of its delays were drawn."""
        if self.mode == "exact":
            count = max(self._episodes) + 1
            first = int(rng.integers(count)) if self.first_episode is None else self.first_episode + episode
            return first % count, 0
        return int(rng.integers(len(self.seconds))) if self.mode == "replay" else None

    def draw(self, rng: np.random.Generator, state: State) -> tuple[float, State]:
        """The next latency of the recording, or any of it."""
        if self.mode == "exact":
            episode, place = state
            return self._exact(episode, place), (episode, place + 1)
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

    def spec(self) -> Spec:
        """Plain data with the arguments; `first_episode` where it means something."""
        spec = super().spec()
        return spec if self.mode == "exact" else {key: spec[key] for key in ("model", "recording", "mode")}

    def __repr__(self) -> str:
        first = f", first_episode={self.first_episode!r}" if self.mode == "exact" else ""
        return f"{type(self).__name__}(recording={self.recording!r}, mode={self.mode!r}{first})"

    def _read_episodes(self) -> None:
        """The delays of each episode, as seconds that are whole ticks."""
        if not isinstance(self.recording, str | os.PathLike):
            raise ArgumentError(
                f"recording={brief(self.recording)} has no delays in ticks to replay exactly; give the path of a file "
                "that chunkenv.latency.write_trace wrote, or mode='replay'."
            )
        path = os.fspath(self.recording)
        recorded = read_trace(path)
        episodes: dict[int, list[float]] = {row.episode: [] for row in recorded.rows}
        for row in recorded.rows:
            if row.delay_ticks is not None:
                episodes[row.episode].append(row.delay_ticks * recorded.control_dt)
        seconds = tuple(delay for delays in episodes.values() for delay in delays)
        if not seconds:
            raise ArgumentError(
                f"The trace {path!r} has no delay to replay, only first chunks; record longer episodes."
            )
        if self.first_episode is not None:
            whole_number("first_episode", self.first_episode, at_least=0)
        assign(self, recording=path, seconds=seconds, recorded_dt=recorded.control_dt)
        assign(self, _episodes={number: tuple(delays) for number, delays in episodes.items()})

    def _exact(self, episode: int, place: int) -> float:
        """A delay of an episode; of one that has none, those of the whole recording.

        After the last decision of an episode that was truncated one more is asked for, which nothing waits for.
        """
        delays = self._episodes.get(episode) or self.seconds
        if place == len(delays) + 1:
            warnings.warn(
                f"{self!r} has {len(delays)} delays in episode {episode}, and more are asked for: they begin again "
                "with the first, so that from here on this is no exact replay.",
                UserWarning,
                stacklevel=2,
            )
        return delays[place % len(delays)]


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
