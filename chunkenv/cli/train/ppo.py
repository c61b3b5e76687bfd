"""`chunkenv train ppo`: experts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chunkenv.errors import ArgumentError, suggest
from chunkenv.kinetix import LEVELS
from chunkenv.utils.extras import require

EXPERTS = Path("results") / "experts"


def ppo(
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.")],
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same checkpoints, to the bit.")] = 0,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Control steps altogether.", show_default="the level's")
    ] = None,
    envs: Annotated[
        int | None, typer.Option(metavar="N", help="Environments at once.", show_default="the level's")
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="sparse, distance or penalty: to learn from.", show_default="the level's"),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/seedK/ with all files.")] = EXPERTS,
) -> None:
    """Train an expert with PPO: checkpoints of several skill levels, and metrics, in one folder.

    After Ctrl-C or a crash the same command goes on from the last evaluation, and ends with the same files.
    """
    require("agents")
    require("kinetix")
    from chunkenv.agents.common import checkpoint_file as checkpoints
    from chunkenv.agents.ppo_settings import settings_for
    from chunkenv.training import on_policy as ppo_training

    level = _level(task)
    given = {name: value for name, value in (("steps", steps), ("envs", envs), ("reward", reward)) if value is not None}
    settings = replace(settings_for(level), **given)
    folder = checkpoints.run_folder(out, level, seed)
    run = ppo_training.resume_or_begin(level, settings, seed, folder)
    console = Console(highlight=False)
    if run.steps:
        console.print(f"{level}, seed {seed}: goes on from {run.steps:,} of {settings.steps:,} steps.")
    _watch(
        console, f"{level}, seed {seed}", settings.updates * settings.batch, run.steps, ppo_training.train(run, folder)
    )
    best = checkpoints.load_best(folder)
    kept = checkpoints.checkpoint_path(folder, best.steps)
    console.print(
        f"{level}, seed {seed}: solves {best.solve_rate:.1%} of {settings.evaluation_episodes} episodes at best, "
        f"after {best.steps:,} steps; {run.seconds:.0f} s of training in all."
    )
    console.print(f"checkpoint  {escape(str(kept))}", soft_wrap=True)


def _level(task: str) -> str:
    """A level by its name or its id.

    >>> _level("chunkenv/kinetix-catapult-v0")
    'catapult'
    """
    level = task.removeprefix("chunkenv/kinetix-").removesuffix("-v0")
    if level not in LEVELS:
        raise ArgumentError(f"There is no Kinetix level {task!r}: {suggest(level, LEVELS)}")
    return level


def _watch(console: Console, title: str, total: int, done: int, updates: Iterator[dict[str, Any]]) -> None:
    """Show how far a training is: one line that moves on a terminal, a line for each evaluation elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} of {task.total:,} steps"))
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal) as progress:
        line = progress.add_task(title, total=total, completed=done)
        for metrics in updates:
            progress.update(line, completed=int(metrics["steps"]))
            if "solve_rate" not in metrics:
                continue
            progress.update(line, description=f"{title}: {metrics['solve_rate']:.0%} solved")
            if not console.is_terminal:
                console.print(
                    f"{title}: {int(metrics['steps']):,} of {total:,} steps, {metrics['solve_rate']:.1%} solved, "
                    f"{metrics['seconds']:.0f} s",
                    soft_wrap=True,
                )
