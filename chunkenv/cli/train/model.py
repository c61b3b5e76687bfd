"""`chunkenv train model`: a model of the world from demonstrations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.command_line import LARGEST_SEED, command_line, complete_task, whole
from chunkenv.cli.train.demonstrations import describe_data, load_of_level
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.updates import train_updates
from chunkenv.registration import read_task
from chunkenv.utils.extras import require

MODELS = Path("results") / "models"


def model(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote.")],
    updates: Annotated[int | None, whole(help="Of the weights.", default="that of ModelSettings")] = None,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Annotated[int, whole(help="The same seed gives the same weights, to the bit.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/seedK/ with all files.")] = MODELS,
) -> None:
    """Train a small model of the world on demonstrations: it predicts what a robot will see after its next actions.

    It needs demonstrations of a Kinetix level, and serves the strategies of predicted states (VLASH, arXiv 2512.01031).
    After Ctrl-C or a crash the same command goes on from the last 1,000 updates, and ends with the same weights.
    """
    require("agents")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.delay_aware.model_learning import ModelSettings
    from chunkenv.data.transitions import Transitions
    from chunkenv.training import ModelTraining, resume
    from chunkenv.training.model_training import MODEL

    level = read_task(task, "Kinetix level").level
    dataset = load_of_level(data, level)
    settings = ModelSettings() if updates is None else replace(ModelSettings(), updates=updates)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    folder = out / level / f"seed{seed}"
    facts = {"level": level, "command": command_line("train", context, leave_out=()), "data": describe_data(dataset)}
    training = resume(ModelTraining(Transitions(dataset), settings, seed, facts), folder)
    train_updates(
        Console(highlight=False),
        training,
        folder,
        folder / MODEL,
        f"{level}: ",
        lambda metrics: f"{metrics['loss']:.1%} of the changes not predicted",
        lambda metrics: f"loss {metrics['loss']:.3f}",
    )
