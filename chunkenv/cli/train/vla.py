"""`chunkenv train vla`: a small vision-language-action model, from demonstrations with instructions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LONGEST, command_line, complete_task, real, whole
from chunkenv.cli.train.agent_options import Seed
from chunkenv.cli.train.demonstrations import describe_data
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.sharsa import check_family
from chunkenv.cli.train.updates import train_updates
from chunkenv.data import load as load_data
from chunkenv.registration import read_task
from chunkenv.utils.extras import require

if TYPE_CHECKING:
    from chunkenv.training import VLATraining

RESULTS = Path("results") / "vla"
LARGEST_NETWORK = 4096
LOSSES = {"flow_loss": "flow", "token_loss": "tokens", "question_loss": "questions"}


def vla(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(help="Goal-conditioned manipulation, such as cube-single.", autocompletion=complete_task)
    ],
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect TASK --goals train --style task` wrote.")
    ],
    observation: Annotated[
        str, typer.Option(metavar="NAME", help="What it sees beside words: features, pixels or pixels+robot.")
    ] = "features",
    arm: Annotated[
        str,
        typer.Option(metavar="NAME", help="joint, joint-tokens, insulated, frozen, tokens; questions for a backbone."),
    ] = "insulated",
    start_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A model to begin with; frozen needs one.")
    ] = None,
    layers: Annotated[int, whole(help="Of backbone and expert.", at_most=LARGEST_NETWORK)] = 2,
    width: Annotated[int, whole(help="Of the backbone.", at_most=LARGEST_NETWORK)] = 64,
    heads: Annotated[int, whole(help="Of attention.", at_most=LARGEST_NETWORK)] = 4,
    expert_width: Annotated[int, whole(help="Of the action expert.", at_most=LARGEST_NETWORK)] = 64,
    patch: Annotated[int, whole(help="Side of a piece of a frame, in pixels.", at_most=LARGEST_NETWORK)] = 8,
    tokens: Annotated[str, typer.Option(metavar="NAME", help="Of actions: bins or frequencies (as FAST).")] = "bins",
    token_weight: Annotated[float, real(help="Of the loss of tokens.")] = 1.0,
    question_weight: Annotated[float, real(help="Of the loss of answers beside actions.")] = 0.0,
    left_out: Annotated[float, real(help="Share of windows without instruction; 0 cannot be guided.")] = 0.1,
    prediction_horizon: Annotated[int, whole(help="Rows in a chunk.", at_most=LONGEST)] = 10,
    execution_horizon: Annotated[
        int | None, whole(help="Ticks between inferences in evaluations.", at_most=LONGEST, default="half of them")
    ] = None,
    max_prefix: Annotated[int, whole(help="Longest prefix to go on from: training-time RTC.", at_most=LONGEST)] = 0,
    updates: Annotated[int, whole(help="Of the weights.")] = 10_000,
    batch: Annotated[int, whole(help="Windows in an update.")] = 128,
    evaluate_every: Annotated[int, whole(help="Updates between evaluations.")] = 2500,
    episodes: Annotated[int, whole(help="Of an evaluation; 0 plays none.")] = 20,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/OBSERVATION/ARM/seedK/.")] = RESULTS,
) -> None:
    """Train a small vision-language-action model by instruction, with or without knowledge insulation.

    A transformer reads frames, robot state and words; an action expert attends to it and makes chunks by a flow (pi0,
    arXiv 2410.24164). With `--arm insulated` the flow trains the expert only, and tokens of actions the backbone (arXiv
    2505.23705). After Ctrl-C or a crash the same command goes on from the last evaluation, and ends with the same
    model.
    """
    require("vla")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.vla import VLANetworkSize, VLASettings, load_vla
    from chunkenv.training import InstructionPlay, VLATraining, resume
    from chunkenv.training.vla_data import read_vla_data

    asked, dataset = read_task(task, "goal-conditioned task"), load_data(data)
    assert asked.family is not None  # goal-conditioned tasks are families
    check_family(asked.id, dataset, data)
    network = VLANetworkSize(layers, width, heads, expert_width, patch, tokens)
    settings = VLASettings(
        network=network,
        arm=arm,
        token_weight=token_weight,
        question_weight=question_weight,
        left_out=left_out,
        max_prefix=max_prefix,
        updates=updates,
        batch=batch,
    )
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    start = None if start_from is None else load_vla(start_from)
    found = read_vla_data(data, dataset, asked.family, observation, prediction_horizon)
    horizon = execution_horizon or max(prediction_horizon // 2, 1)
    play = InstructionPlay(asked.id, prediction_horizon, horizon, found.arguments, episodes, 2 * seed + 1)
    facts = {
        "environment": {"id": asked.id, "arguments": found.arguments},
        "execution_horizon": horizon,
        "command": command_line("train", context, leave_out=()),
        "data": describe_data(dataset),
        "start": None if start is None else str(start.facts.get("command", "")),
    }
    folder = out / asked.name / observation / arm / f"seed{seed}"
    training = VLATraining(
        found.windows, settings, found.words, seed, facts, start, found.held_out, play, evaluate_every
    )
    train_vla(resume(training, folder), folder, asked.name)


def train_vla(training: VLATraining, folder: Path, task: str) -> None:
    """Train a model to the end, under a bar, and say where it is and how to watch it."""
    from chunkenv.training.vla_training import MODEL

    console = Console(highlight=False)
    train_updates(console, training, folder, folder / MODEL, f"{training.settings.arm}: ", describe, describe)
    if training.settings.arm != "questions":
        path = escape(str(folder / MODEL))
        console.print(f"watch  chunkenv play {task} --agent {path}", soft_wrap=True)


def describe(metrics: Mapping[str, float]) -> str:
    """How good it is.

    >>> describe({"flow_loss": 0.5, "token_loss": 2.0, "solve_rate": 0.25, "right_answers": 0.875})
    'loss of flow 0.500, of tokens 2.000, 25% solved, 88% of answers right'
    """
    losses = [f"of {name} {metrics[key]:.3f}" for key, name in LOSSES.items() if key in metrics]
    found = [f"loss {', '.join(losses)}"]
    if "solve_rate" in metrics:
        found.append(f"{metrics['solve_rate']:.0%} solved")
    if "right_answers" in metrics:
        found.append(f"{metrics['right_answers']:.0%} of answers right")
    return ", ".join(found)
