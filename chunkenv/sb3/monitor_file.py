"""Monitor files that go on after a resume."""

from __future__ import annotations

import json
from pathlib import Path

from stable_baselines3.common.monitor import Monitor, ResultsWriter

from chunkenv.errors import ArgumentError


def open_log(filename: str) -> tuple[float, ResultsWriter] | None:
    """When a monitor file began, in seconds of `time.time`, and its writer, which appends; None if there is no file.

    A row that was cut by a crash is taken out first.

    Raises:
        ArgumentError: for a file that no monitor wrote, or one with other columns than r, l and t.
    """
    path = _find(filename)
    if not path.exists():
        return None
    content = path.read_bytes()
    start = _read_start(path, content)
    if not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)
    return start, ResultsWriter(str(path), override_existing=False)


def _find(filename: str) -> Path:
    """Where Stable-Baselines3 puts the file of a name."""
    if filename.endswith(Monitor.EXT):
        return Path(filename)
    path = Path(filename)
    return path / Monitor.EXT if path.is_dir() else Path(f"{filename}.{Monitor.EXT}")


def _read_start(path: Path, content: bytes) -> float:
    header, columns, *_ = [*content.split(b"\n"), b"", b""]
    try:
        start = float(json.loads(header.removeprefix(b"#"))["t_start"])
    except (ValueError, KeyError, TypeError):
        start = None
    if start is None or columns.rstrip(b"\r") != b"r,l,t":
        raise ArgumentError(
            f"monitor_file={str(path)!r} was not written by this monitor (a line with t_start, then r,l,t); choose "
            "another file, or append=False to replace it."
        )
    return start
