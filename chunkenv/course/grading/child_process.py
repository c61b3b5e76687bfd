"""The process that runs a student's code: started with limits, asked one question at a time, ended with all its own."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from chunkenv.course.grading.framing import Value, receive_frame
from chunkenv.course.grading.isolation import PACKAGE_PARENT, PYTHON, Isolation
from chunkenv.course.grading.process_tree import ProcessTree
from chunkenv.utils.processes import describe_exit

SCRIPT = Path(__file__).with_name("child_main.py")
MEMORY = 2**30
"""Bytes: of the address space of each process on Linux, and everywhere of the resident memory of all together."""
PROCESSES = 64
"""Processes that the code may have at a time."""
OUTPUT = 10_000
"""Bytes of what the code prints that are kept."""
LOOK_EVERY = 0.2
"""Seconds between two looks at memory and processes."""
PATIENCE = 1.0
"""Seconds that a process which closed its connection may take to end by itself, so that its exit code is known."""


class ChildProcess:
    """A process that has nothing of the grader but the questions; a context manager that ends it.

    Args:
        isolation: as whom it runs.
    """

    def __init__(self, isolation: Isolation) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="student-", ignore_cleanup_errors=True)
        self._tree = ProcessTree()
        started = subprocess.Popen(
            [*PYTHON, str(SCRIPT), str(PACKAGE_PARENT), str(MEMORY), str(PROCESSES if isolation.user else 0)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **isolation.options(Path(self._folder.name)),
        )
        self._process = cast("subprocess.Popen[bytes]", started)
        self._questions: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[Value | Exception] = queue.Queue()
        self._printed = bytearray()
        self._too_much = ""
        self._ended = threading.Event()
        self._prints = _start(self._read_prints)
        self._watcher = _start(self._watch)
        _start(self._converse)

    def ask(self, question: bytes, timeout: float) -> Value:
        """The answer to a frame.

        Args:
            question: the frame.
            timeout: seconds.

        Raises:
            TimeoutError: none came in time.
            EOFError, OSError: the process closed its side.
            FrameError: it sent what is no frame.
        """
        self._questions.put(question)
        try:
            answer = self._answers.get(timeout=max(0.0, timeout))
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ending(self) -> str:
        """How the process ended, in words."""
        if self._too_much:
            return self._too_much
        try:
            return describe_exit(self._process.wait(PATIENCE))
        except subprocess.TimeoutExpired:
            return "closed its connection"

    def printed(self) -> str:
        """What the code printed, cut to `OUTPUT` bytes; complete once the process has ended."""
        text = bytes(self._printed[:OUTPUT]).decode(errors="replace")
        return f"{text}\n[cut after {OUTPUT:,} bytes]" if len(self._printed) > OUTPUT else text

    def _converse(self) -> None:
        """Write and read in a thread of its own: a process that neither reads nor writes must not block the grader."""
        to_child, from_child = _there(self._process.stdin), _there(self._process.stdout)
        while True:
            question = self._questions.get()
            try:
                to_child.write(question)
                to_child.flush()
                self._answers.put(receive_frame(from_child))
            except Exception as error:  # goes to who asked
                self._answers.put(error)
                return

    def _read_prints(self) -> None:
        """Read all that is printed, so that printing never blocks, and keep the beginning."""
        stream = _there(self._process.stderr)
        with contextlib.suppress(OSError, ValueError):
            while data := stream.read(4096):
                self._printed += data[: OUTPUT + 1 - len(self._printed)]

    def _watch(self) -> None:
        """Kill what has too many processes or too much memory."""
        while not self._ended.wait(LOOK_EVERY):
            if len(self._tree.members()) > PROCESSES:
                self._too_much = f"was ended because it had more than {PROCESSES} processes"
            elif self._tree.memory() > MEMORY:
                self._too_much = f"was ended because it used more than {MEMORY // 2**20:,} MiB of memory"
            if self._too_much:
                self._tree.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watcher.join()
        self._tree.end(self._process)
        self._prints.join(PATIENCE)
        self._folder.cleanup()


def _start(function: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # all three are pipes
    return stream
