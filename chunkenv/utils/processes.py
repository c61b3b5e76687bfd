"""What every worker process needs: to leave Ctrl-C to its parent, to end with it, and how it ended in words."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, TypeAlias

TERMINAL_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))
"""What a terminal sends to every process that it runs: Ctrl-C, and that it is closed."""


Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int | None
"""What `signal.signal` takes and returns."""


@contextlib.contextmanager
def signals_handled(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Inside, signals have these handlers; afterwards those of before.

    Nothing happens in another thread than the main one, which alone can set any.

    Args:
        handlers: by the signals' numbers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupts() -> contextlib.AbstractContextManager[None]:
    """Processes started inside ignore what a terminal sends to the whole group: their parent stops them."""
    known = [number for number in TERMINAL_SIGNALS if signal.getsignal(number) is not None]  # set by Python
    return signals_handled(dict.fromkeys(known, signal.SIG_IGN))


def keep_signals() -> contextlib.AbstractContextManager[None]:
    """What is set inside for SIGTERM does not stay: who called us decides how this process ends."""
    now = signal.getsignal(signal.SIGTERM)
    return signals_handled({} if now is None else {signal.SIGTERM: now})  # None: not set by Python


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
