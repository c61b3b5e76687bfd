"""`chunkenv train infom`: an agent that learns without rewards what will follow, then from few rewards what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import read_widths, real, whole
from chunkenv.cli.progress import watch_training
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
from chunkenv.data import load as load_data
from chunkenv.errors import ArgumentError
from chunkenv.registration import environment_of, read_id
from chunkenv.utils.extras import require

if TYPE_CHECKING:
    from chunkenv.agents.infom import InFOMSettings

RESULTS = Path("results") / "infom"
MOST = 10_000


def infom(
    task: VectorTask,
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote; rewards are not looked at.")
    ],
    labelled_data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Data of the same task with rewards.", show_default="the same data"),
    ] = None,
    labelled: Annotated[
        int | None, whole(help="Ticks of it that have rewards: the first episodes.", default="all")
    ] = None,
    pretraining_steps: Annotated[int, whole(help="Updates without rewards; 0 for none.")] = 10_000,
    finetuning_steps: Annotated[int, whole(help="Updates on the labelled ticks.")] = 5000,
    chunk: Chunk = 5,
    execution_horizon: ExecutionHorizon = None,
    delay: Delay = 0,
    prefix: Prefix = True,
    discount: Annotated[float, real(help="Per tick, between 0 and 1.")] = 0.99,
    hidden: Hidden = "256,256,256",
    latent: Annotated[int, whole(help="Numbers of an intention; 0 for a model without.", at_most=MOST)] = 16,
    compression: Annotated[float, real(help="How much intentions are held to N(0, 1).")] = 0.01,
    futures: Annotated[int, whole(help="Future states that a value is averaged over.", at_most=MOST)] = 4,
    expectile: Annotated[float, real(help="Of the values over intentions, up to 1.")] = 0.9,
    alpha: Annotated[float, real(help="Strength of imitation.")] = 100.0,
    steps: Annotated[int, whole(help="From noise to a state or a chunk.", at_most=MOST)] = 5,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    evaluate_every: EvaluateEvery = 2500,
    episodes: Episodes = 20,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/seedK/ with all files.")] = RESULTS,
) -> None:
    """Train InFOM (arXiv 2506.08902): on data of many intentions without rewards, then on few ticks with them.

    The first phase learns which states follow a chunk, given what the actor is after; the second values them. The paper
    has 512,512,512,512, latent 512, 16 futures, 10 steps and a million updates. It needs data of several ways to act in
    one task, and rewards for a few ticks of them. After Ctrl-C or a crash the same command goes on from the last
    evaluation, and ends with the same agent.
    """
    require("agents")
    from chunkenv.agents import registry, with_optimizer
    from chunkenv.data.chosen_episodes import first_episodes
    from chunkenv.training import InFOMTraining, TrainingConfig, resume, train
    from chunkenv.training.loop import RESUME
    from chunkenv.training.offline_online import AGENT

    widths, own = read_widths(hidden), {"latent": latent, "compression": compression, "futures": futures}
    own |= {"expectile": expectile, "alpha": alpha, "steps": steps, "hidden": widths}
    settings = cast("InFOMSettings", registry.settings_for("infom", chunk, delay, prefix, discount, **own))
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    task = read_id(task)
    dataset = load_data(data)
    rewarded = dataset if labelled_data is None else load_data(labelled_data)
    environments = [environment_of(each.info) for each in (dataset, rewarded)]
    for path, found in zip((data, labelled_data), environments, strict=True):
        if found is not None and found.id != task:
            raise ArgumentError(f"{path} has data of {found.id}, not of {task}; give the folder of that one.")
    config = TrainingConfig(
        task,
        environments[0].arguments if environments[0] else {},
        offline_steps=pretraining_steps + finetuning_steps,
        online_steps=0,
        capacity=2,
        execution_horizon=execution_horizon,
        evaluate_every=evaluate_every,
        episodes=episodes,
    )
    rewarded = rewarded if labelled is None else first_episodes(rewarded, labelled)
    folder, console = out / task.rpartition("/")[2] / f"seed{seed}", Console(highlight=False)
    training = resume(InFOMTraining(config, pretraining_steps, settings, dataset, rewarded, seed), folder)
    if training.steps:
        console.print(f"infom goes on from {training.steps:,} of {training.total_steps:,} updates.")
    watch_training(
        console,
        train(training, folder),
        title="infom",
        total=training.total_steps,
        done=training.steps,
        unit="updates",
        describe=lambda metrics: f"infom: {describe_play(metrics) or 'futures'}",
        report=lambda metrics: f"{int(metrics['steps']):,} updates, {said}" if (said := describe_play(metrics)) else "",
        kept=folder / RESUME,
    )
    path = escape(str(folder / AGENT))
    console.print(f"agent  {path}\nwatch  chunkenv play {task} --agent {path}", soft_wrap=True)


def describe_play(metrics: Mapping[str, float]) -> str:
    """How well it played; an empty string for a round without an evaluation.

    >>> describe_play({"return": -120.0, "solve_rate": 0.5}), describe_play({"return": -120.0}), describe_play({})
    ('50% solved', 'return -120.0', '')
    """
    if "solve_rate" in metrics:
        return f"{metrics['solve_rate']:.0%} solved"
    return f"return {metrics['return']:.1f}" if "return" in metrics else ""
