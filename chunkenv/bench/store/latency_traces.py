"""Measured latencies in a file, with the machine that they are of."""

from __future__ import annotations

import json
from pathlib import Path

from chunkenv.bench.store.provenance import machine, now, versions
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file

FILE = "traces.json"


def write_traces(path: Path, traces: dict[str, list[float]]) -> None:
    """Write traces into a file, atomically."""
    text = json.dumps({"recorded": now(), "machine": machine(), "versions": versions(), "seconds": traces}, indent=1)
    with atomic_file(path) as file:
        file.write(text.encode())


def read_traces(path: Path) -> dict[str, list[float]]:
    """Traces that `write_traces` wrote.

    Raises:
        ArgumentError: if the file cannot be read, or holds something else.
    """
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path} cannot be read as traces ({error}); record them anew.") from error
    traces = found.get("seconds") if isinstance(found, dict) else None
    if not isinstance(traces, dict) or not all(_is_trace(trace) for trace in traces.values()):
        raise ArgumentError(f"{path} holds no latencies by method; record them anew, or give another file.")
    return traces


def _is_trace(trace: object) -> bool:
    return isinstance(trace, list) and bool(trace) and all(isinstance(s, float) and s >= 0 for s in trace)
