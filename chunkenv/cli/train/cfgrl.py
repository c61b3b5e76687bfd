"""`chunkenv train cfgrl`: a policy that is improved while it acts, by the weight of what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LONGEST, complete_task, read_widths, real, whole
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
from chunkenv.cli.train.sharsa import check_family, describe
from chunkenv.cli.train.updates import train_updates
from chunkenv.data import Dataset
from chunkenv.data import load as load_data
from chunkenv.errors import ArgumentError
from chunkenv.registration import environment_of, find_task, read_id
from chunkenv.utils.extras import require

if TYPE_CHECKING:
    from chunkenv.agents.cfgrl import CFGRLSettings
    from chunkenv.training.loop import Training

RESULTS = Path("results") / "cfgrl"
SUBGOAL_TICKS = 25


def cfgrl(
    task: Annotated[
        str,
        typer.Argument(
            help="Goal-conditioned, such as cube-single; or with rewards, such as catapult; or an id of your own.",
            autocompletion=complete_task,
        ),
    ],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect` wrote.")],
    form: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What the flow is told: goal, subgoals (on two levels), or advantage (whether a chunk was better).",
            show_default="goal where the observation has one, else advantage",
        ),
    ] = None,
    guidance: Annotated[
        float, real(help="The weight w of what it is told, unless `chunkenv play` says another; 1 is imitation.")
    ] = 3.0,
    updates: Annotated[int, whole(help="Of all weights.")] = 20_000,
    ahead: Annotated[
        int | None, whole(help="subgoals: ticks to a sub-goal.", at_most=LONGEST, default=f"{SUBGOAL_TICKS}")
    ] = None,
    expectile: Annotated[
        float | None, real(help="advantage: of its critics that a state's value is.", default="0.9")
    ] = None,
    chunk: Chunk = 5,
    execution_horizon: ExecutionHorizon = None,
    delay: Delay = 0,
    prefix: Prefix = True,
    discount: Discount = 0.99,
    hidden: Hidden = "256,256,256",
    evaluate_every: EvaluateEvery = 5000,
    episodes: Episodes = 20,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/FORM/seedK/ with all files.")] = RESULTS,
) -> None:
    """Train a policy that can be pushed further than its data while it acts (CFGRL, arXiv 2505.23458).

    A flow imitates chunks, and is told a goal that was reached later, or whether the chunk was better than usual. A
    weight w exaggerates what it is told; one training serves for all w. Each chunk takes two evaluations of the network
    a step. It needs play (`chunkenv data collect TASK --style play`) of a task whose observation has a goal, or data
    with rewards in which good and bad chunks are mixed. After Ctrl-C or a crash the same command goes on from the last
    evaluation, and ends with the same agent.
    """
    require("agents")
    from chunkenv.agents import registry, with_optimizer
    from chunkenv.training.loop import resume
    from chunkenv.training.offline_online import AGENT

    task, dataset = read_id(task), load_data(data)
    form = form or ("goal" if has_goals(task) else "advantage")
    given = {"ahead": ahead, "expectile": expectile}
    check_options(form, {name for name, value in given.items() if value is not None})
    backup = max(ahead or SUBGOAL_TICKS, chunk) if form == "subgoals" else chunk
    asked: dict[str, Any] = {"form": form, "guidance": guidance, "expectile": expectile, "hidden": read_widths(hidden)}
    settings: Any = registry.settings_for("cfgrl", chunk, delay, prefix, discount, backup, **asked)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    rest = {"execution_horizon": execution_horizon, "evaluate_every": evaluate_every, "episodes": episodes}
    folder = out / task.rpartition("/")[2] / form / f"seed{seed}"
    training = resume(make_training(task, settings, dataset, data, seed, updates, rest), folder)
    console = Console(highlight=False)
    train_updates(console, training, folder, folder / AGENT, "", describe, describe)
    path = escape(str(folder / AGENT))
    console.print(f"watch  chunkenv play {task} --agent {path} --guidance {guidance:g}", soft_wrap=True)


def has_goals(task: str) -> bool:
    """Whether a task's observation has a goal: of ours by its name, of others by its observation."""
    ours = find_task(task)
    if ours is not None:
        return ours.family is not None and ours.number is None
    import gymnasium as gym

    space = gym.make(task).observation_space
    return isinstance(space, gym.spaces.Dict) and "desired_goal" in {*space}


def check_options(form: str, given: set[str]) -> None:
    """Refuse options of another form.

    Raises:
        ArgumentError: there is one.
    """
    for name, owner in (("ahead", "subgoals"), ("expectile", "advantage")):
        if name in given and form != owner:
            raise ArgumentError(f"--{name} is an option of --form {owner}, not of {form}; leave it out.")


def make_training(
    task: str, settings: CFGRLSettings, dataset: Dataset, path: Path, seed: int, updates: int, rest: dict[str, Any]
) -> Training:
    """The training of a form: with goals in hindsight, or on rewards.

    Raises:
        ArgumentError: the data are of another task, or the task has no goals, or has them and is to have none.
    """
    from chunkenv.training import GoalTraining, GoalTrainingConfig, OfflineOnlineTraining, TrainingConfig

    if settings.has_goals:
        check_family(task, dataset, path)
        return GoalTraining(GoalTrainingConfig(task, updates=updates, **rest), "cfgrl", settings, dataset, seed)
    arguments = reward_arguments(task, dataset, path)
    config = TrainingConfig(task, arguments, offline_steps=updates, online_steps=0, **rest)
    return OfflineOnlineTraining(config, "cfgrl", settings, dataset, seed)


def reward_arguments(task: str, dataset: Dataset, path: Path) -> dict[str, Any]:
    """What data with rewards were collected with besides the id."""
    found = environment_of(dataset.info)
    if has_goals(task):
        raise ArgumentError(f"{task} changes its goal, and its data have no rewards for it; give --form goal.")
    if found is not None and found.id != task:
        raise ArgumentError(f"{path} has data of {found.id}, not of {task}; give the folder of that one.")
    return {} if found is None else found.arguments
