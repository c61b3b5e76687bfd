"""`chunkenv train flow`: a flow policy from demonstrations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from chunkenv.cli.command_line import LARGEST_SEED, LONGEST, command_line, complete_task, is_given, real, whole
from chunkenv.cli.train.demonstrations import describe_data, load_of_level
from chunkenv.cli.train.fine_tuning import describe_start, read_start
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.updates import train_updates
from chunkenv.data import OffsetWindows, Windows
from chunkenv.errors import ArgumentError
from chunkenv.registration import read_task
from chunkenv.utils.extras import require

if TYPE_CHECKING:
    from chunkenv.training import FlowTraining

PREDICTION_HORIZON = 8
MAX_PREFIX = 4
POLICIES = Path("results") / "flow"


def flow(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote.")],
    prefix_conditioned: Annotated[
        bool, typer.Option("--prefix-conditioned", help="Learn to go on from a prefix: training-time RTC.")
    ] = False,
    intended_prefix: Annotated[
        bool,
        typer.Option("--intended-prefix", help="Take prefixes without the noise that they were executed with."),
    ] = False,
    max_prefix: Annotated[int, whole(help="Its longest prefix, in rows.", at_most=LONGEST)] = MAX_PREFIX,
    prefix_decay: Annotated[
        float, real(help="Draw each length of prefixes exp(-this) times as often as one row less.")
    ] = 0.0,
    start_from: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A plain policy to begin with: a family, a folder of policies, or a file."),
    ] = None,
    soft_rows: Annotated[
        int,
        whole(help="Rows behind a prefix, at most, that are given in part: soft training-time RTC.", at_most=LONGEST),
    ] = 0,
    future_offsets: Annotated[
        int, whole(help="Show it the robot up to so many ticks later: VLASH; 4 in its study.", at_most=LONGEST)
    ] = 0,
    prediction_horizon: Annotated[int, whole(help="Rows in a chunk.", at_most=LONGEST)] = PREDICTION_HORIZON,
    updates: Annotated[int | None, whole(help="Of the weights.", default="that of FlowSettings")] = None,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Annotated[int, whole(help="The same seed gives the same weights, to the bit.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/KIND/seedK/ with all files.")] = POLICIES,
) -> None:
    """Train a flow policy on chunks of demonstrations (flow matching, arXiv 2210.02747): weights and metrics.

    It needs demonstrations of a Kinetix level: `chunkenv data collect LEVEL --experts FOLDER`.
    After Ctrl-C or a crash the same command goes on from the last 1,000 updates, and ends with the same weights.
    """
    require("agents")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.flow_matching import FlowSettings
    from chunkenv.data.executed import executed_actions
    from chunkenv.kinetix.level import robot_features
    from chunkenv.training import FlowTraining, resume

    level = read_task(task, "Kinetix level").level
    dataset = load_of_level(data, level)
    given = [name for name in ("max_prefix", "intended_prefix", "soft_rows", "prefix_decay") if is_given(context, name)]
    if given and not prefix_conditioned:
        option = f"--{given[0].replace('_', '-')}"
        raise ArgumentError(f"{option} is about prefixes, which only --prefix-conditioned learns from; add that, too.")
    settings = FlowSettings(
        max_prefix=max_prefix if prefix_conditioned else 0, soft_rows=soft_rows, prefix_decay=prefix_decay
    )
    settings = settings if updates is None else replace(settings, updates=updates)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    if future_offsets and prefix_conditioned:
        raise ArgumentError("--future-offsets and --prefix-conditioned are two ways to learn of a delay; give one.")
    kind = "soft-prefix" if soft_rows else "prefix" if prefix_conditioned else "vlash" if future_offsets else "plain"
    folder = out / level / kind / f"seed{seed}"
    facts = {"level": level, "command": command_line("train", context, leave_out=()), "data": describe_data(dataset)}
    if future_offsets:
        facts["future_offsets"] = future_offsets
        windows = OffsetWindows(dataset, prediction_horizon, future_offsets, robot_features(level))
    else:
        executed = executed_actions(dataset) if prefix_conditioned and not intended_prefix else None
        windows = Windows(dataset, prediction_horizon, executed=executed)
    start = None
    if start_from is not None:
        start = read_start(start_from, level, "plain")
        facts["start"] = describe_start(start)
    train_flow(resume(FlowTraining(windows, settings, seed, facts, start), folder), folder)


def train_flow(training: FlowTraining, folder: Path) -> None:
    """Train a flow policy to the end, under a bar, and say where it is."""
    from chunkenv.training.imitation import POLICY

    train_updates(
        Console(highlight=False),
        training,
        folder,
        folder / POLICY,
        f"{training.level}: ",
        lambda metrics: f"loss {metrics['loss']:.4f}",
        lambda metrics: f"loss {metrics['loss']:.3f}",
    )
