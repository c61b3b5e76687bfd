"""Recordings of latencies that come with the package."""

from __future__ import annotations

from pathlib import Path

from chunkenv.latency.trace import Trace
from chunkenv.utils.checks import one_of

RECORDINGS = ("loaded_machine",)


def load_recording(name: str = "loaded_machine") -> Trace:
    """A recording of the package, as a model that replays it.

    "loaded_machine": 375 inferences of a flow policy with guidance (RTC), one every three ticks of a real control loop
    of 30 ticks a second, in a process of its own on two cores, while other programs wanted several times as many. Half
    take 3.0 ms, one in twenty 21 ms or more, the slowest 70 ms; slow ones come together. `Trace([factor * seconds for
    seconds in load_recording().seconds])` is a slower policy of that kind.

    Raises:
        ArgumentError: there is no such recording.

    >>> recording = load_recording()
    >>> len(recording.seconds), round(recording.mean(), 4)
    (375, 0.0066)
    """
    return Trace(Path(__file__).parent / "recordings" / f"{one_of('name', name, RECORDINGS)}.txt")
