"""`chunkenv train model`: a model of the world from demonstrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LARGEST_SEED, command_line, complete_task, whole
from chunkenv.cli.progress import watch_training
from chunkenv.cli.train.flow import describe_data, load_of_level
from chunkenv.registration import read_task
from chunkenv.utils.extras import require

MODELS = Path("results") / "models"


def model(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote.")],
    updates: Annotated[int | None, whole(help="Of the weights.", default="that of ModelSettings")] = None,
    seed: Annotated[int, whole(help="The same seed gives the same weights, to the bit.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/seedK/ with all files.")] = MODELS,
) -> None:
    """Train a small model of the world on demonstrations: it predicts what a robot will see after its next actions.

    After Ctrl-C or a crash the same command goes on from the last 1,000 updates, and ends with the same weights.
    """
    require("agents")
    from chunkenv.agents.model_learning import ModelSettings
    from chunkenv.data.transitions import Transitions
    from chunkenv.training import ModelTraining, resume, train
    from chunkenv.training.loop import RESUME
    from chunkenv.training.model_training import MODEL, ROUND

    level = read_task(task, "Kinetix level").level
    dataset = load_of_level(data, level)
    settings = ModelSettings() if updates is None else replace(ModelSettings(), updates=updates)
    folder = out / level / f"seed{seed}"
    facts = {"level": level, "command": command_line("train", context, leave_out=()), "data": describe_data(dataset)}
    training = resume(ModelTraining(Transitions(dataset), settings, seed, facts), folder)
    console, total = Console(highlight=False), training.total_steps
    if training.steps:
        console.print(f"{level}: goes on from {training.steps:,} of {total:,} updates.")

    def report(metrics: Mapping[str, float]) -> str:
        """Ten lines in all."""
        steps = int(metrics["steps"])
        due = 10 * steps // total > 10 * (steps - ROUND) // total
        return f"{steps:,} of {total:,} updates, {metrics['loss']:.1%} of the changes not predicted" if due else ""

    watch_training(
        console,
        train(training, folder),
        title="",
        total=total,
        done=training.steps,
        unit="updates",
        describe=lambda metrics: f"loss {metrics['loss']:.3f}",
        report=report,
        kept=folder / RESUME,
    )
    console.print(f"model  {escape(str(folder / MODEL))}", soft_wrap=True)
