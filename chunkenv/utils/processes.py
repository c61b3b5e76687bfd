"""What every worker process needs: to ignore Ctrl-C, to end with its parent, and a description of how it ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def ignore_interrupts() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C, which reaches the whole group: their parent stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals can be set in the main thread only
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def begin_worker() -> None:
    """The first thing that a worker does: from here on it ends when its parent does, and not with Ctrl-C.

    A parent that is killed cannot stop its workers: a thread of each waits for that moment and ends it at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it is not inherited (Windows)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a forked worker has inherited its parent's
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def describe_exit(exitcode: int) -> str:
    """A process's exit code in words.

    >>> describe_exit(3), describe_exit(-9)
    ('ended with exit code 3', 'was killed by SIGKILL')
    """
    if exitcode < 0:
        return f"was killed by {signal.Signals(-exitcode).name}"
    return f"ended with exit code {exitcode}"


def usable_cores() -> int:
    """How many cores this process may use.

    >>> usable_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
