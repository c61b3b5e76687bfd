"""What a training reports as it goes: one JSON object a line and, where TensorBoard is installed, its event files."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import Any

from chunkenv.utils.files import atomic_file, explain_write_errors

Metrics = dict[str, float]
"""What an evaluation measured, by name."""


def read_metrics(path: Path) -> list[Metrics]:
    """The lines of a file of metrics; a line that was cut off by a kill is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


class Journal:
    """Appends metrics to `metrics.jsonl` in a folder, and mirrors them for TensorBoard where that is installed.

    Args:
        folder: of the run; it is made if it is not there.
        steps: lines of later steps are dropped: a training that goes on from there writes them again.

    Raises:
        UnwritableError: the folder cannot be written into.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     Journal(Path(name), steps=0).write({"steps": 100, "solve_rate": 0.5})
    ...     read_metrics(Path(name) / "metrics.jsonl")
    [{'steps': 100, 'solve_rate': 0.5}]
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self._path = folder / "metrics.jsonl"
        kept = [line for line in read_metrics(self._path) if line["steps"] <= steps]
        with atomic_file(self._path) as file:
            file.write("".join(map(_line, kept)).encode())
        with explain_write_errors(folder):
            self._board = _open_board(folder / "tensorboard", kept)

    def write(self, metrics: Metrics) -> None:
        """Add one line; `metrics` holds the key "steps".

        Raises:
            UnwritableError: the disk is full, say; a line that was cut off is none.
        """
        with explain_write_errors(self._path):
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(metrics))
            _show(self._board, metrics)


def _line(metrics: Metrics) -> str:
    return json.dumps(metrics) + "\n"


def _open_board(folder: Path, metrics: list[Metrics]) -> Any:
    """TensorBoard's writer with what was reported so far, or None: old event files may know steps that are gone."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()
    board = EventFileWriter(str(folder))
    for line in metrics:
        _show(board, line)
    return board


def _show(board: Any, metrics: Metrics) -> None:
    """Write one event with all values but the steps, which it stands at."""
    if board is None:
        return
    # protobuf makes these classes when it is imported, where no type checker sees them
    from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

    values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items() if name != "steps"]
    board.add_event(Event(wall_time=time.time(), step=int(metrics["steps"]), summary=Summary(value=values)))
    board.flush()
