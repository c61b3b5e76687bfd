"""Measured latencies in a file, with the machine that they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeGuard

from chunkenv.bench.store.provenance import machine, now, versions
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file
from chunkenv.utils.types import is_mapping

FILE = "traces.json"
SIZE_OF_OLD = 0.4
"""Million parameters of the networks that were measured before there were several sizes."""


def write_traces(
    path: Path,
    traces: Mapping[float, Mapping[str, Sequence[float]]],
    corrections: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Write what was measured into a file, atomically.

    Args:
        path: of the file.
        traces: seconds of inferences, by million parameters of the network and by method.
        corrections: seconds of the corrections of single ticks, by method.
    """
    seconds = {f"{size:g}": of_size for size, of_size in traces.items()}
    content = {"recorded": now(), "machine": machine(), "versions": versions(), "seconds": seconds}
    text = json.dumps({**content, "corrections": corrections or {}}, indent=1)
    with atomic_file(path) as file:
        file.write(text.encode())


def read_traces(path: Path) -> dict[float, dict[str, list[float]]]:
    """The inferences that `write_traces` wrote, by size and method; also those of earlier files, which have one size.

    Raises:
        ArgumentError: if the file cannot be read, or holds something else.
    """
    seconds = _read(path).get("seconds")
    if is_mapping(seconds) and seconds and all(map(_is_trace, seconds.values())):
        seconds = {SIZE_OF_OLD: seconds}
    if not is_mapping(seconds) or not seconds or not all(map(_are_traces, seconds.values())):
        _refuse(path)
    try:
        return {float(size): of_size for size, of_size in seconds.items()}
    except ValueError:
        _refuse(path)


def read_corrections(path: Path) -> dict[str, list[float]]:
    """The corrections that `write_traces` wrote, by method; none of an earlier file.

    Raises:
        ArgumentError: if the file cannot be read, or holds something else.
    """
    corrections = _read(path).get("corrections", {})
    if not _are_traces(corrections):
        _refuse(path)
    return corrections


def _read(path: Path) -> dict[str, object]:
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path} cannot be read as traces ({error}); record them anew.") from error
    return found if isinstance(found, dict) else _refuse(path)


def _refuse(path: Path) -> NoReturn:
    raise ArgumentError(f"{path} holds no latencies by method; record them anew, or give another file.")


def _are_traces(traces: object) -> TypeGuard[dict[str, list[float]]]:
    return isinstance(traces, dict) and all(map(_is_trace, traces.values()))


def _is_trace(trace: object) -> bool:
    return isinstance(trace, list) and bool(trace) and all(isinstance(s, float) and s >= 0 for s in trace)
