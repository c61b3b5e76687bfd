"""`chunkenv train qc`: an agent of the Q-chunking family, offline, then online."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LONGEST, read_widths, real, whole
from chunkenv.cli.data.dataset_options import DATASETS
from chunkenv.cli.progress import watch_training
from chunkenv.cli.train.agent_options import (
    Chunk,
    Delay,
    Discount,
    Episodes,
    ExecutionHorizon,
    Hidden,
    Prefix,
    Seed,
    VectorTask,
)
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.data import Dataset
from chunkenv.data import load as load_data
from chunkenv.errors import ArgumentError
from chunkenv.registration import environment_of, find_task, read_id
from chunkenv.utils.extras import require
from chunkenv.utils.processes import usable_cores

RESULTS = Path("results") / "qc"
MOST_SAMPLES = 10_000
RANDOM_TICKS = 1000  # of agents without an offline phase
OFFLINE_STEPS = 10_000
EPISODES = 120
"""Of play, where no data are given: what the oracle of a manipulation task does in minutes."""


def qc(
    task: VectorTask,
    agent: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Chunks: qc, qc-fql, dqc, rlpd-ac, qc-rlpd; one action: bfn, bfn-n, fql, fql-n, rlpd."
        ),
    ] = "qc-fql",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What `chunkenv data collect` wrote.",
            show_default="in manipulation 120 episodes of play, which it collects; none elsewhere",
        ),
    ] = None,
    offline_steps: Annotated[
        int | None,
        whole(help="Updates on the data.", default=f"{OFFLINE_STEPS}; none without data"),
    ] = None,
    online_steps: Annotated[
        int,
        whole(help="Control steps played, an update each; the last episode is played to its end."),
    ] = 30_000,
    chunk: Chunk = 5,
    backup: Annotated[int | None, whole(help="Rewards in a target.", at_most=LONGEST, default="the agent's")] = None,
    execution_horizon: ExecutionHorizon = None,
    delay: Delay = 0,
    prefix: Prefix = True,
    discount: Discount = 0.99,
    hidden: Hidden = "256,256,256",
    samples: Annotated[
        int | None, whole(help="qc, dqc: chunks to choose from.", at_most=MOST_SAMPLES, default="the agent's")
    ] = None,
    alpha: Annotated[float | None, real(help="qc-fql: strength of imitation.", default="100")] = None,
    target_sampler: Annotated[
        str | None, typer.Option(metavar="NAME", help="qc: flow (exact) or distilled (fast).", show_default="flow")
    ] = None,
    target_steps: Annotated[
        int | None, whole(help="qc: flow steps in targets.", at_most=MOST_SAMPLES, default="10")
    ] = None,
    target_dtype: Annotated[
        str | None, typer.Option(metavar="NAME", help="qc: float32 (exact) or bfloat16.", show_default="float32")
    ] = None,
    evaluate_every: Annotated[int, whole(help="Steps between evaluations.")] = 2500,
    episodes: Episodes = 20,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/AGENT/seedK/ with all files.")] = RESULTS,
) -> None:
    """Train an agent that decides chunks: on data, then by playing, as late as you say (Q-chunking, arXiv 2507.07969).

    It needs observations and actions that are vectors, and rewards; for a manipulation task it collects data itself.
    The defaults solve the tasks with one cube in a quarter of an hour on one core; the papers have 512,512,512,512 and
    a million steps of each kind. After Ctrl-C or a crash the same command goes on from the last evaluation, and ends
    with the same agent.
    """
    require("agents")
    from chunkenv.agents import registry, with_optimizer
    from chunkenv.training import OfflineOnlineTraining, TrainingConfig, resume, train
    from chunkenv.training.loop import RESUME
    from chunkenv.training.offline_online import AGENT

    options = {
        "samples": samples,
        "alpha": alpha,
        "target_sampler": target_sampler,
        "target_steps": target_steps,
        "target_dtype": target_dtype,
    }
    asked = _select_given(options, agent, registry.settings_for(agent))
    widths = read_widths(hidden)
    settings = registry.settings_for(agent, chunk, delay, prefix, discount, backup, hidden=widths, **asked)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    alone = registry.RECIPES[agent].online_only
    console = Console(highlight=False)
    task = read_id(task)
    ours = find_task(task)
    level = ours.level if ours and ours.number else None
    learned = data is not None or level is not None
    config = TrainingConfig(  # before data are collected: it refuses invalid numbers
        task,
        offline_steps=offline_steps if offline_steps is not None else OFFLINE_STEPS if learned and not alone else 0,
        online_steps=online_steps,
        warm_up=RANDOM_TICKS if alone else 0,
        execution_horizon=execution_horizon,
        evaluate_every=evaluate_every,
        episodes=episodes,
    )
    dataset = load_data(data) if data is not None else _collect_play(level, console)
    config = replace(config, arguments=arguments_of(task, dataset, data))
    folder = out / task.rpartition("/")[2] / agent / f"seed{seed}"
    training = resume(OfflineOnlineTraining(config, agent, settings, dataset, seed), folder)
    total = training.total_steps
    if training.steps:
        console.print(f"{agent} goes on from {min(training.steps, total):,} of {total:,} steps.")

    def report(metrics: Mapping[str, float]) -> str:
        done = f"{agent}: {min(int(metrics['steps']), total):,} of {total:,} steps"
        return f"{done}, {_describe(metrics)}, {metrics['seconds']:.0f} s" if "return" in metrics else ""

    watch_training(
        console,
        train(training, folder),
        title=agent,
        total=total,
        done=training.steps,
        unit="steps",
        describe=lambda metrics: f"{agent}: {_describe(metrics)}" if "return" in metrics else "",
        report=report,
        kept=folder / RESUME,
    )
    path = escape(str(folder / AGENT))
    console.print(f"agent  {path}\nwatch  chunkenv play {task} --agent {path}", soft_wrap=True)


def _select_given(options: dict[str, Any], agent: str, settings: Any) -> dict[str, Any]:
    """The options that were given; one that is no setting of the agent is refused."""
    given = {name: value for name, value in options.items() if value is not None}
    known = {field.name for field in fields(settings)}
    if foreign := [name for name in given if name not in known]:
        raise ArgumentError(f"--{foreign[0].replace('_', '-')} is no option of {agent}; leave it out.")
    return given


def _collect_play(level: str | None, console: Console) -> Dataset | None:
    """The oracle's play in a manipulation task, collected now if it is not there; None without a level."""
    if level is None:
        return None
    from chunkenv.collect import collect_oracle

    folder = DATASETS / f"{level}-play"
    console.print(f"data   {EPISODES} episodes of the oracle's play, in {escape(str(folder))}", soft_wrap=True)
    command = f"chunkenv data collect {level} --style play --episodes {EPISODES}"
    return collect_oracle(level, "play", folder, episodes=EPISODES, workers=usable_cores(), command=command)


def arguments_of(task: str, dataset: Dataset | None, path: Path | None) -> dict[str, Any]:
    """What the data were collected with besides the id.

    Raises:
        ArgumentError: they are of another task.
    """
    found = None if dataset is None else environment_of(dataset.info)
    if found is None:
        return {}
    if found.id != task:
        raise ArgumentError(f"{path} has data of {found.id}, not of {task}; give the folder of that one.")
    return found.arguments


def _describe(metrics: Mapping[str, float]) -> str:
    """How good it is.

    >>> _describe({"return": -120.0, "solve_rate": 0.5}), _describe({"return": -120.0})
    ('50% solved', 'return -120.0')
    """
    return f"{metrics['solve_rate']:.0%} solved" if "solve_rate" in metrics else f"return {metrics['return']:.1f}"
