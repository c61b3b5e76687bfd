"""`chunkenv train ppo`: experts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from chunkenv.cli.command_line import LARGEST_SEED, complete_task, whole
from chunkenv.cli.progress import watch_training
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.registration import read_task
from chunkenv.utils.extras import require

MOST_ENVS = 65_536
EXPERTS = Path("results") / "experts"


def ppo(
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    seed: Annotated[int, whole(help="The same seed gives the same checkpoints, to the bit.", at_most=LARGEST_SEED)] = 0,
    steps: Annotated[int | None, whole(help="Control steps altogether.", default="the level's")] = None,
    envs: Annotated[int | None, whole(help="Environments at once.", at_most=MOST_ENVS, default="the level's")] = None,
    reward: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="sparse, distance or penalty: to learn from.", show_default="the level's"),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="smooth: actions change little. published: it keeps exploring, as RTC's experts do."
        ),
    ] = "smooth",
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/seedK/ with all files.")] = EXPERTS,
) -> None:
    """Train an expert with PPO (arXiv 1707.06347): checkpoints of several skill levels, and metrics, in one folder.

    It plays one of the twelve Kinetix levels and needs no data.
    After Ctrl-C or a crash the same command goes on from the last evaluation, and ends with the same files.
    """
    require("agents")
    require("kinetix")
    from chunkenv.agents import load_best_expert, ppo_settings, run_folder, with_optimizer
    from chunkenv.agents.policies.expert_checkpoints import checkpoint_path
    from chunkenv.training import PPOTraining, resume, train
    from chunkenv.training.loop import RESUME

    level = read_task(task, "Kinetix level").name
    given = {name: value for name, value in (("steps", steps), ("envs", envs), ("reward", reward)) if value is not None}
    settings = with_optimizer(replace(ppo_settings(level, recipe), **given), optimizer, averaged, learning_rate)
    folder = run_folder(out, level, seed)
    training = resume(PPOTraining(level, settings, seed), folder)
    console, title, total = Console(highlight=False), f"{level}, seed {seed}", training.total_steps
    if training.steps:
        console.print(f"{title}: goes on from {training.steps:,} of {settings.steps:,} steps.")

    def report(metrics: Mapping[str, float]) -> str:
        if "solve_rate" not in metrics:
            return ""
        done = f"{title}: {int(metrics['steps']):,} of {total:,} steps"
        return f"{done}, {metrics['solve_rate']:.1%} solved, {metrics['seconds']:.0f} s"

    watch_training(
        console,
        train(training, folder),
        title=title,
        total=total,
        done=training.steps,
        unit="steps",
        describe=lambda metrics: f"{title}: {metrics['solve_rate']:.0%} solved" if "solve_rate" in metrics else "",
        report=report,
        kept=folder / RESUME,
    )
    best = load_best_expert(folder)
    kept = checkpoint_path(folder, best.steps)
    console.print(
        f"{title}: solves {best.solve_rate:.1%} of {settings.evaluation_episodes} episodes at best, "
        f"after {best.steps:,} steps; {training.seconds:.0f} s of training in all."
    )
    console.print(f"checkpoint  {escape(str(kept))}", soft_wrap=True)
