"""`chunkenv train sharsa`: a high level that chooses sub-goals by their value, and a low level that goes there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LONGEST, complete_task, read_widths, whole
from chunkenv.cli.train.agent_options import (
    Chunk,
    Delay,
    Discount,
    Episodes,
    EvaluateEvery,
    ExecutionHorizon,
    Hidden,
    Prefix,
    Seed,
)
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.updates import train_updates
from chunkenv.data import Dataset
from chunkenv.data import load as load_data
from chunkenv.errors import ArgumentError
from chunkenv.registration import environment_of, find_task, read_id
from chunkenv.utils.extras import require

RESULTS = Path("results") / "sharsa"
MOST_SAMPLES = 10_000


def sharsa(
    task: Annotated[
        str,
        typer.Argument(
            help="A goal-conditioned task, such as cube-double; or an id of your own.", autocompletion=complete_task
        ),
    ],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect --style play` wrote.")],
    updates: Annotated[int, whole(help="Of all weights.")] = 20_000,
    ahead: Annotated[int, whole(help="Ticks to a sub-goal, and rewards in a target.", at_most=LONGEST)] = 25,
    hierarchy: Annotated[
        bool, typer.Option("--hierarchy/--flat", help="Whether chunks go for a sub-goal, or for the goal itself.")
    ] = True,
    values: Annotated[
        bool, typer.Option("--values/--no-values", help="Whether the best of several draws is taken, or the first.")
    ] = True,
    chunk: Chunk = 5,
    execution_horizon: ExecutionHorizon = None,
    delay: Delay = 0,
    prefix: Prefix = True,
    discount: Discount = 0.995,
    hidden: Hidden = "256,256,256",
    samples: Annotated[int, whole(help="Draws to choose from.", at_most=MOST_SAMPLES)] = 32,
    evaluate_every: EvaluateEvery = 5000,
    episodes: Episodes = 20,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/ARM/seedK/ with all files.")] = RESULTS,
) -> None:
    """Train for goals that are far away, on play (SHARSA, arXiv 2506.04168).

    Of several sub-goals some ticks ahead the one with the highest value is taken, and a chunk goes there. --flat,
    --no-values and both are the controls: n-step values without sub-goals, sub-goals without values, imitation. An
    evaluation says how well values rank goals by the ticks to them; below .7 they are no guide. It needs play of a task
    whose observation has a goal, and episodes longer than --ahead; no rewards. After Ctrl-C or a crash the same command
    goes on from the last evaluation, and ends with the same agent.
    """
    require("agents")
    from chunkenv.agents import registry, with_optimizer
    from chunkenv.training.goal_training import GoalTraining, GoalTrainingConfig
    from chunkenv.training.loop import resume
    from chunkenv.training.offline_online import AGENT

    asked: dict[str, Any] = {"hidden": read_widths(hidden), "samples": samples}
    arm: dict[str, Any] = {"hierarchy": hierarchy, "values": values}
    settings = registry.settings_for("sharsa", chunk, delay, prefix, discount, ahead, **asked, **arm)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    task = read_id(task)
    config = GoalTrainingConfig(
        task,
        updates=updates,
        execution_horizon=execution_horizon,
        evaluate_every=evaluate_every,
        episodes=episodes,
    )
    dataset = load_data(data)
    check_family(task, dataset, data)
    folder = out / task.rpartition("/")[2] / name_arm(hierarchy, values) / f"seed{seed}"
    training = resume(GoalTraining(config, "sharsa", settings, dataset, seed), folder)
    console = Console(highlight=False)
    train_updates(console, training, folder, folder / AGENT, "", describe, describe)
    path = escape(str(folder / AGENT))
    console.print(f"watch  chunkenv play {task} --agent {path}", soft_wrap=True)


def name_arm(hierarchy: bool, values: bool) -> str:
    """What an agent with these parts is called.

    >>> name_arm(True, True), name_arm(False, False)
    ('sharsa', 'flat')
    """
    return {(True, True): "sharsa", (True, False): "hierarchy", (False, True): "flat-n-step"}.get(
        (hierarchy, values), "flat"
    )


def check_family(task: str, dataset: Dataset, path: Path) -> None:
    """Refuse data of another of our tasks.

    Raises:
        ArgumentError: the data are of another family of tasks, or the task has no goals.
    """
    ours, source = find_task(task), environment_of(dataset.info)
    if ours is None or source is None:
        return
    if ours.family is None or ours.number is not None:
        raise ArgumentError(
            f"{task} has one goal only, or none; give a task whose goal is part of the observation, such as "
            f"{ours.family or 'cube-double'}."
        )
    collected = find_task(source.id)
    if collected is None or collected.family != ours.family:
        raise ArgumentError(f"{path} has data of {source.id}, not of {ours.family}; give the folder of such data.")


def describe(metrics: Mapping[str, float]) -> str:
    """How good it is.

    >>> describe({"flow_loss": 0.5, "solve_rate": 0.25, "spearman": 0.812}), describe({"flow_loss": 0.5})
    ('25% solved, values rank goals with .81', 'loss of the flow 0.500')
    """
    if "return" not in metrics and "solve_rate" not in metrics:
        return f"loss of the flow {metrics['flow_loss']:.3f}"
    found = f"{metrics['solve_rate']:.0%} solved" if "solve_rate" in metrics else f"return {metrics['return']:.1f}"
    ranks = f"{metrics['spearman']:.2f}".replace("0.", ".") if "spearman" in metrics else ""
    return f"{found}, values rank goals with {ranks}" if ranks else found
