"""What every worker process needs: to leave Ctrl-C to its parent, to end with it, and how it ended in words."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator

TERMINAL_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))
"""What a terminal sends to every process that it runs: Ctrl-C, and that it is closed."""


@contextlib.contextmanager
def ignore_interrupts() -> Iterator[None]:
    """Processes started inside ignore what a terminal sends to the whole group: their parent stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals can be set in the main thread only
        return
    known = [number for number in TERMINAL_SIGNALS if signal.getsignal(number) is not None]  # set by Python
    before = {number: signal.signal(number, signal.SIG_IGN) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def keep_signals() -> Iterator[None]:
    """What is set inside for SIGTERM does not stay: who called us decides how this process ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # set by Python
            signal.signal(signal.SIGTERM, before)


def begin_worker() -> None:
    """The first thing that a worker does: from here on it ends when its parent does, not with Ctrl-C or a terminal.

    A parent that is killed cannot stop its workers: a thread of each waits for that moment and ends it at once.
    """
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # where it is not inherited (Windows)
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
