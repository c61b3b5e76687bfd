"""`chunkenv train deflect`: a flow policy that goes on from prefixes learns to prefer fresh chunks to stale ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from chunkenv.cli.command_line import LARGEST_SEED, complete_task, real, whole
from chunkenv.cli.train.demonstrations import load_of_level
from chunkenv.cli.train.fine_tuning import StartFrom, facts_of, read_start
from chunkenv.cli.train.flow import train_flow
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.data import LaterWindows
from chunkenv.registration import POLICIES, read_task
from chunkenv.utils.extras import require

RESULTS = Path("results") / "flow"


def deflect(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote.")],
    start_from: StartFrom = POLICIES,
    preference: Annotated[float, real(help="Weight of the preference beside the imitation.")] = 0.02,
    updates: Annotated[int | None, whole(help="Of the weights.", default="that of DeflectSettings")] = None,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Annotated[int, whole(help="The same seed gives the same weights, to the bit.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/deflect/seedK/ with all files.")] = RESULTS,
) -> None:
    """Tune a flow policy that goes on from prefixes to prefer fresh chunks to stale ones (DEFLECT, arXiv 2605.19294).

    It needs that policy, of the package or of `chunkenv train flow --prefix-conditioned`, and demonstrations of its
    level.
    After Ctrl-C or a crash the same command goes on from the last 1,000 updates, and ends with the same weights.
    """
    require("agents")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.delay_aware.preference import DeflectSettings, Preference
    from chunkenv.training import FlowTraining, resume

    level = read_task(task, "Kinetix level").level
    dataset, start = load_of_level(data, level), read_start(start_from, level, "prefix")
    settings = replace(DeflectSettings(preference=preference), max_prefix=start.max_prefix)
    settings = settings if updates is None else replace(settings, updates=updates)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    objective = Preference(start.flow, settings.max_prefix, settings.preference, settings.beta)
    windows = LaterWindows(dataset, start.prediction_horizon, settings.max_prefix)
    folder, facts = out / level / "deflect" / f"seed{seed}", facts_of(context, level, dataset, start)
    train_flow(resume(FlowTraining(windows, settings, seed, facts, start, objective), folder), folder)
