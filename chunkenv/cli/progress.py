"""The progress bar of every command, and how a training is watched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chunkenv.cli.interrupts import say_if_interrupted

Move = Callable[[float, str], None]
"""Moves the bar: how much is done, and the text before it."""


@contextlib.contextmanager
def progress_bar(
    console: Console, text: str, total: float, done: float = 0, *, terminal_only: bool = False
) -> Iterator[Move]:
    """A line with a text, a bar, the time taken and the time left; it moves on a terminal.

    Args:
        console: where it is shown; what is not a terminal gets its last state only.
        text: before the bar, at first.
        total: what is to be done, in any unit.
        done: how much of it is done already.
        terminal_only: show nothing on what is not a terminal.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    left = (TextColumn("left:"), TimeRemainingColumn())
    hidden = terminal_only and not console.is_terminal
    with Progress(*columns, *left, console=console, disable=hidden, speed_estimate_period=120) as progress:
        line = progress.add_task(escape(text), total=total, completed=done)  # pyright: ignore[reportArgumentType]

        def move(done: float, text: str) -> None:
            progress.update(line, completed=min(done, total), description=escape(text))

        yield move


def watch_training(
    console: Console,
    rounds: Iterable[Mapping[str, float]],
    *,
    title: str,
    total: int,
    done: int,
    unit: str,
    describe: Callable[[Mapping[str, float]], str],
    report: Callable[[Mapping[str, float]], str],
    kept: Path,
) -> None:
    """Train to the end, under a bar on a terminal, with lines elsewhere; Ctrl-C and its like end it with a sentence.

    Args:
        console: where it is shown.
        rounds: the metrics of each round, with "steps": how much is done.
        title: what is trained.
        total: how many steps, in all.
        done: how many steps were done before.
        unit: what a step is called: "steps" or "updates".
        describe: of a round's metrics, the text before the bar; "" keeps the last one.
        report: of a round's metrics, the line for what is not a terminal; "" for none.
        kept: the file that the training goes on from.

    Raises:
        typer.Exit: after Ctrl-C, SIGTERM or SIGHUP.
    """
    steps = done

    def count() -> str:
        return f"{steps:,} of {total:,} {unit}"

    def what_is_kept() -> str:
        if kept.exists():
            return f"{count()} were made. The same command goes on from the last state that is in {kept}."
        return f"{count()} were made, too few for a first state to be kept. The same command begins anew."

    interruptible, shown = say_if_interrupted(console, what_is_kept), f"{title}  {count()}"
    with interruptible, progress_bar(console, shown, total, done, terminal_only=True) as move:
        for metrics in rounds:
            title = describe(metrics) or title
            steps = min(int(metrics["steps"]), total)
            move(steps, f"{title}  {count()}")
            if not console.is_terminal and (line := report(metrics)):
                console.print(line, soft_wrap=True)
