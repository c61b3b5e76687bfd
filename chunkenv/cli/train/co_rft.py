"""`chunkenv train co-rft`: imitation of a few demonstrations, then offline reinforcement learning with chunks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LONGEST, read_widths, real, whole
from chunkenv.cli.data.dataset_options import DATASETS
from chunkenv.cli.train.agent_options import (
    Chunk,
    Delay,
    Episodes,
    EvaluateEvery,
    ExecutionHorizon,
    Hidden,
    Prefix,
    Seed,
    VectorTask,
)
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.qc import MOST_SAMPLES, arguments_of
from chunkenv.cli.train.updates import train_updates
from chunkenv.data import Dataset
from chunkenv.data import load as load_data
from chunkenv.errors import ArgumentError
from chunkenv.registration import find_task, read_id
from chunkenv.utils.extras import require
from chunkenv.utils.processes import usable_cores

RESULTS = Path("results") / "co_rft"
DEMONSTRATIONS = 60
IMPERFECT: dict[str, Any] = {"pauses": 0.2, "detours": 0.1, "failures": 0.2}
"""Of the demonstrations that are collected where none are given."""


def co_rft(
    task: VectorTask,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What `chunkenv data collect` wrote.",
            show_default="in manipulation 60 imperfect demonstrations, which it collects",
        ),
    ] = None,
    updates: Annotated[int, whole(help="In all.")] = 15_000,
    imitation: Annotated[int, whole(help="Updates that imitate only; as many as in all: nothing else.")] = 5000,
    warm_up: Annotated[int, whole(help="Updates after these in which only the critics learn from rewards.")] = 2000,
    actor: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="td3-bc; or the best of some chunks: of a flow, or distilled from it into one step.",
        ),
    ] = "td3-bc",
    lengths: Annotated[
        int | None, whole(help="Rows that critics value; 1: of one step.", at_most=LONGEST, default="chunk")
    ] = None,
    conservatism: Annotated[
        float, real(help="How far values are held down where the data are not, in mean returns.")
    ] = 0.1,
    calibrated: Annotated[
        bool, typer.Option("--calibrated/--uncalibrated", help="Whether no lower than the returns in the data.")
    ] = True,
    alpha: Annotated[float, real(help="td3-bc: weight of values against imitation.")] = 2.5,
    samples: Annotated[int, whole(help="flow, distilled: chunks to choose from.", at_most=MOST_SAMPLES)] = 8,
    chunk: Chunk = 5,
    execution_horizon: ExecutionHorizon = None,
    delay: Delay = 0,
    prefix: Prefix = True,
    discount: Annotated[float, real(help="Per tick, below 1.")] = 0.99,
    hidden: Hidden = "256,256,256",
    evaluate_every: EvaluateEvery = 5000,
    episodes: Episodes = 20,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/ACTOR/seedK/ with all files.")] = RESULTS,
) -> None:
    """Imitate a few demonstrations, then improve on them by offline reinforcement learning (CO-RFT, arXiv 2508.02219).

    Demonstrations must differ in how good they are: `chunkenv data collect TASK --style task --pauses .2 --detours .1
    --failures .2 --episodes 60`. After Ctrl-C or a crash the same command goes on from the last evaluation, and ends
    with the same agent.
    """
    require("agents")
    from chunkenv.agents import registry, with_optimizer
    from chunkenv.training import OfflineOnlineTraining, TrainingConfig, resume
    from chunkenv.training.offline_online import AGENT

    settings = registry.settings_for(
        "co-rft",
        chunk,
        delay,
        prefix,
        discount,
        hidden=read_widths(hidden),
        actor=actor,
        imitation=imitation,
        warm_up=warm_up,
        lengths=lengths,
        conservatism=conservatism,
        calibrated=calibrated,
        alpha=alpha,
        samples=samples,
    )
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    task, console = read_id(task), Console(highlight=False)
    lasting: dict[str, Any] = {
        "offline_steps": updates,
        "online_steps": 0,
        "execution_horizon": execution_horizon,
        "evaluate_every": evaluate_every,
        "episodes": episodes,
    }
    TrainingConfig(task, **lasting)  # before data are collected: it refuses invalid numbers
    dataset = _collect_demonstrations(task, console) if data is None else load_data(data)
    config = TrainingConfig(task, arguments_of(task, dataset, data), **lasting)
    folder = out / task.rpartition("/")[2] / actor / f"seed{seed}"
    training = resume(OfflineOnlineTraining(config, "co-rft", settings, dataset, seed), folder)
    train_updates(console, training, folder, folder / AGENT, "", _describe, _describe)
    console.print(f"watch  chunkenv play {task} --agent {escape(str(folder / AGENT))}", soft_wrap=True)


def _collect_demonstrations(task: str, console: Console) -> Dataset:
    """Imperfect demonstrations of a manipulation task, collected now if they are not there.

    Raises:
        ArgumentError: it is no manipulation task with one goal.
    """
    ours = find_task(task)
    if ours is None or not ours.number:
        raise ArgumentError(f"{task} needs demonstrations; give --data FOLDER, which `chunkenv data collect` wrote.")
    from chunkenv.collect import collect_oracle

    folder = DATASETS / f"{ours.level}-imperfect"
    console.print(f"data   {DEMONSTRATIONS} imperfect demonstrations, in {escape(str(folder))}", soft_wrap=True)
    shares = " ".join(f"--{name} {share}" for name, share in IMPERFECT.items())
    command = f"chunkenv data collect {ours.level} --style task {shares} --reward sparse --episodes {DEMONSTRATIONS}"
    rest: dict[str, Any] = {"episodes": DEMONSTRATIONS, "workers": usable_cores(), "command": command}
    return collect_oracle(ours.level, "task", folder, reward="sparse", **rest, **IMPERFECT)


def _describe(metrics: Mapping[str, float]) -> str:
    """How good it is.

    >>> _describe({"value": -41.26, "return": -120.0, "solve_rate": 0.5}), _describe({"value": -41.26})
    ('mean value -41.3, 50% solved', 'mean value -41.3')
    """
    solved = f", {metrics['solve_rate']:.0%} solved" if "solve_rate" in metrics else ""
    return f"mean value {metrics['value']:.1f}{solved}"
