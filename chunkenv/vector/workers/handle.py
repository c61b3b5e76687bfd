"""Worker processes as their parent sees them: started, asked, waited for with a deadline, and always ended."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext

from gymnasium.vector.utils import CloudpickleWrapper

from chunkenv.utils.processes import describe_exit, ignore_interrupts
from chunkenv.vector.workers.worker import Answer, EnvFailure, serve

GRACE = 2.0
"""Seconds that a worker has to close its environment before it is killed."""


class Handle:
    """One worker process, and the pipe to it.

    Args:
        make: makes the worker's environment, in the worker.
        context: of `multiprocessing`.
        target: what the worker does, with `make` and its end of the pipe.
        remedy: what to do about a process that needs too much memory.
    """

    def __init__(
        self,
        make: Callable[[], object],
        context: BaseContext,
        target: Callable[..., None] = serve,
        remedy: str = "use fewer environments",
    ) -> None:
        self._remedy = remedy
        self.connection, theirs = context.Pipe()
        arguments = CloudpickleWrapper(make), theirs  # pyright: ignore[reportArgumentType] (pickles any function)
        self._process = context.Process(target=target, args=arguments, daemon=True)  # pyright: ignore (each kind has it)
        with ignore_interrupts():
            self._process.start()
        theirs.close()

    def ask(self, *request: object) -> None:
        """Send a request; if the worker has gone, `answer` says so."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(request)

    def answer(self) -> Answer:
        """What the worker answers to the last request: its result or an `EnvFailure`."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return EnvFailure(self._describe_end())
        except Exception as error:  # of a class that the parent cannot import, say
            return EnvFailure(f"its answer cannot be read: {type(error).__name__}: {error}")

    def end(self, patience: float = 0.0) -> None:
        """End the process, after `patience` seconds if it has not gone by itself."""
        self._wait(patience)
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()

    def _wait(self, seconds: float) -> None:
        """Wait for the end of the process; `join` waits for ever for one that closed its files and hangs."""
        deadline = time.monotonic() + seconds
        while self._process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.001)

    def _describe_end(self) -> str:
        self._wait(GRACE)
        code = self._process.exitcode
        if code is None:
            return "its process closed its pipe"
        how = describe_exit(code)
        return f"its process {how}{f'; if memory was short, {self._remedy}' * ('SIGKILL' in how)}"


def gather(handles: dict[int, Handle], timeout: float | None) -> dict[int, Answer]:
    """The answers of all that were asked, by their index: results and failures.

    One that has not answered after `timeout` seconds (None: no limit) gets an `EnvFailure` that says so.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    waiting = {handle.connection: index for index, handle in handles.items()}
    answers: dict[int, Answer] = {}
    while waiting:
        left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
        ready = multiprocessing.connection.wait(list(waiting), left)
        if not ready:
            late = EnvFailure(f"it did not answer within {timeout:g} seconds")
            return answers | dict.fromkeys(waiting.values(), late)
        for connection in ready:
            index = waiting.pop(connection)  # pyright: ignore[reportArgumentType]
            answers[index] = handles[index].answer()
    return answers
