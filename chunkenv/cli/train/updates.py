"""A training whose steps are updates of weights, run to its end in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from chunkenv.cli.progress import watch_training

if TYPE_CHECKING:
    from chunkenv.training.loop import Training

Describe = Callable[[Mapping[str, float]], str]
"""Says how good it is, from the metrics of a round."""


def train_updates(
    console: Console, training: Training, folder: Path, result: Path, title: str, loss: Describe, bar: Describe
) -> None:
    """Train to the end under a bar, with ten lines in all, and say where the result is.

    Args:
        console: where it is said.
        training: new, or from `resume`.
        folder: of the training.
        result: the file that it writes; its name says what it is.
        title: begins the sentence that it goes on: "", or "LEVEL: ".
        loss: of a line.
        bar: beside the bar.
    """
    from chunkenv.training import train
    from chunkenv.training.loop import RESUME

    total = training.total_steps
    if training.steps:
        console.print(f"{title}goes on from {training.steps:,} of {total:,} updates.")

    def report(metrics: Mapping[str, float]) -> str:
        steps = int(metrics["steps"])
        due = 10 * steps // total > 10 * (steps - training.report_every) // total
        return f"{steps:,} of {total:,} updates, {loss(metrics)}" if due else ""

    watch_training(
        console,
        train(training, folder),
        title="",
        total=total,
        done=training.steps,
        unit="updates",
        describe=bar,
        report=report,
        kept=folder / RESUME,
    )
    console.print(f"{result.stem}  {escape(str(result))}", soft_wrap=True)
