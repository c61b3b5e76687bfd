"""How a command ends early: SIGTERM and SIGHUP are handled like Ctrl-C, and it says what is kept.

The exit code is 128 and the signal's number: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

import typer
from rich.console import Console

from chunkenv.utils.processes import signals_handled

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
GRACE = 10.0
"""Seconds within which another signal is the same news: a terminal that closes sends two, batch systems several."""


class Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP: whatever tidies up after Ctrl-C tidies up after it, too.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """What a command exits with that was ended by a signal.

    >>> exit_code(KeyboardInterrupt())
    130
    """
    return 128 + (interrupt.number if isinstance(interrupt, Ended) else signal.SIGINT)


def raise_signals() -> contextlib.AbstractContextManager[None]:
    """SIGTERM and SIGHUP raise `Ended` inside; those that are ignored (by nohup) or handled already stay so."""
    ours = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    return signals_handled(dict.fromkeys(ours, _make_handler()))


@contextlib.contextmanager
def say_if_interrupted(console: Console, sentence: Callable[[], str]) -> Iterator[None]:
    """Where Ctrl-C, SIGTERM or SIGHUP arrive inside, the command says a sentence and ends.

    Args:
        console: where it is said.
        sentence: what is kept, and how to go on; asked for when all inside is tidied up.

    Raises:
        typer.Exit: with the signal's exit code.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        console.print(f"Interrupted: {sentence()}", soft_wrap=True, markup=False)
        raise typer.Exit(exit_code(interrupt)) from interrupt


def _make_handler() -> Callable[[int, FrameType | None], None]:
    last = -GRACE

    def end(number: int, _: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before >= GRACE:
            _leave_closed_terminal()
            raise Ended(number)

    return end


def _leave_closed_terminal() -> None:
    """Write to nowhere from here on where the terminal is gone: what is still said must not fail."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
