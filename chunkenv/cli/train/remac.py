"""`chunkenv train remac`: a plain flow policy learns to go on from its own plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from chunkenv.cli.command_line import LARGEST_SEED, complete_task, whole
from chunkenv.cli.train.demonstrations import load_of_level
from chunkenv.cli.train.fine_tuning import StartFrom, facts_of, read_start
from chunkenv.cli.train.flow import train_flow
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.data import Windows
from chunkenv.registration import POLICIES, read_task
from chunkenv.utils.extras import require

RESULTS = Path("results") / "flow"


def remac(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote.")],
    start_from: StartFrom = POLICIES,
    updates: Annotated[int | None, whole(help="Of the weights.", default="that of RemacSettings")] = None,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Annotated[int, whole(help="The same seed gives the same weights, to the bit.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/remac/seedK/ with all files.")] = RESULTS,
) -> None:
    """Tune a plain flow policy to go on from what it would have planned itself (REMAC, arXiv 2601.20130).

    It needs that policy, of the package or of `chunkenv train flow`, and demonstrations of its level.
    After Ctrl-C or a crash the same command goes on from the last 1,000 updates, and ends with the same weights.
    """
    require("agents")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.delay_aware.self_conditioning import RemacSettings, SelfConditioning
    from chunkenv.training import FlowTraining, resume

    level = read_task(task, "Kinetix level").level
    dataset, start = load_of_level(data, level), read_start(start_from, level, "plain")
    settings = RemacSettings() if updates is None else replace(RemacSettings(), updates=updates)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    objective = SelfConditioning(start.flow, settings.max_prefix, settings.last_share)
    windows, facts = Windows(dataset, start.prediction_horizon), facts_of(context, level, dataset, start)
    folder = out / level / "remac" / f"seed{seed}"
    train_flow(resume(FlowTraining(windows, settings, seed, facts, start, objective), folder), folder)
