"""`chunkenv data collect`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import chunkenv.collect as collection
from chunkenv.cli.command_line import LARGEST_SEED, MOST_WORKERS, command_line, complete_task, real, whole
from chunkenv.cli.console_tables import print_table
from chunkenv.cli.data.dataset_options import DATASETS, expert_table
from chunkenv.cli.data.render import Camera, Geometry, ImageSize, render
from chunkenv.cli.interrupts import say_if_interrupted
from chunkenv.cli.progress import progress_bar
from chunkenv.data.dataset import Dataset
from chunkenv.errors import ArgumentError
from chunkenv.registration import ACTION_NOISE, read_task
from chunkenv.utils.checks import one_of
from chunkenv.utils.processes import usable_cores

LEAST_SOLVE_RATE = 0.65
"""Of the experts in real-time chunking's data."""


def collect(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(help="A Kinetix level or a manipulation task, or its id.", autocompletion=complete_task)
    ],
    experts: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="A checkpoint, or a folder with some at any depth; may be given repeatedly."),
    ] = None,
    planner: Annotated[bool, typer.Option("--planner", help="The sampling planner, which needs no training.")] = False,
    style: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In manipulation, what the oracle does: play, task or noisy."),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In manipulation: count or sparse.", show_default="count"),
    ] = None,
    primitives: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="In manipulation: plan (with correlated noise) or markov.",
            show_default="by the style",
        ),
    ] = None,
    pauses: Annotated[
        float | None, real(help="With --style task: the share of ticks in which nothing moves.", default="0")
    ] = None,
    detours: Annotated[
        float | None, real(help="With --style task: the share of ticks in which it goes astray.", default="0")
    ] = None,
    failures: Annotated[
        float | None, real(help="With --style task: the share of episodes in which it gives up.", default="0")
    ] = None,
    goals: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In a goal-conditioned task (scene, cube-double): tasks, train or held-out."),
    ] = None,
    observation: Annotated[
        str, typer.Option(metavar="NAME", help="In manipulation, pixels keeps frames and instructions, too.")
    ] = "features",
    camera: Camera = "front_pixels",
    image_size: ImageSize = 64,
    geometry: Geometry = "coarse",
    episodes: Annotated[int | None, whole(help="How many; or:")] = None,
    transitions: Annotated[int | None, whole(help="At least how many ticks.")] = None,
    seed: Annotated[int, whole(help="The same seed gives the same rows.", at_most=LARGEST_SEED)] = 0,
    action_noise: Annotated[
        float | None,
        real(
            help="Standard deviation; in manipulation the largest one, and part of the data.",
            default="0.1, in manipulation by the style",
        ),
    ] = None,
    actions: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of experts: mean, what they hold for best, or sampled, with the spread of their training.",
            show_default="mean",
        ),
    ] = None,
    solve_rate: Annotated[
        float, real(help="Leave out experts that solved less when they were saved.")
    ] = LEAST_SOLVE_RATE,
    workers: Annotated[
        int | None,
        whole(help="Processes; they change nothing but the time.", at_most=MOST_WORKERS, default="one a core"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For the dataset.", show_default=f"{DATASETS}/TASK")
    ] = None,
) -> None:
    """Play episodes and keep every tick.

    Trained experts play, one drawn for each episode, or the planner; in manipulation the oracle does. After Ctrl-C, or
    a crash, the same command goes on from there.
    """
    level = read_task(task, "task" if goals is None else "goal-conditioned task").level
    pixels = one_of("observation", observation, ("features", "pixels")) == "pixels"
    if pixels and style is None:
        raise ArgumentError(f"--observation pixels is for manipulation tasks, and {level} is none; leave it out.")
    imperfection = {"pauses": pauses, "detours": detours, "failures": failures}
    oracle = {"style": style, "reward": reward, "primitives": primitives, "goals": goals, **imperfection}
    if actions is not None and not experts:
        raise ArgumentError(f"--actions {actions} is about experts; give --experts PATH, or leave it out.")
    collect_all = _choose_collector(level, experts, planner, oracle, action_noise, solve_rate, actions or "mean")
    folder = out or DATASETS / level
    console = Console(highlight=False)
    rest = {
        "episodes": episodes,
        "transitions": transitions,
        "seed": seed,
        "workers": usable_cores() if workers is None else workers,
        "command": command_line("data", context, leave_out=("out", "workers")),
    }
    dataset = _collect_with_bar(console, episodes, transitions, partial(collect_all, out=folder, **rest))
    print_table(console, expert_table(dataset))
    console.print(f"dataset  {folder}", soft_wrap=True)
    if pixels:
        render(folder, camera, image_size, geometry)


def _choose_collector(
    level: str,
    experts: list[Path] | None,
    planner: bool,
    oracle: dict[str, Any],
    action_noise: float | None,
    solve_rate: float,
    actions: str,
) -> Callable[..., Dataset]:
    """The function that collects, with all arguments but the folder and the size."""
    if oracle["goals"] is not None or read_task(level).family is not None:
        if experts or planner or oracle["style"] is None:
            raise ArgumentError(f"{level} is played by the oracle: give --style play, task or noisy, no other player.")
        asked = {name: value for name, value in oracle.items() if value is not None}
        return partial(collection.collect_oracle, level, action_noise=action_noise, **asked)
    if foreign := [f"--{name}" for name, value in oracle.items() if value is not None]:
        raise ArgumentError(f"{foreign[0]} is an option of manipulation tasks, and {level} is none; leave it out.")
    if bool(experts) == planner:
        raise ArgumentError("It is not clear which policy plays. Give either --experts PATH or --planner.")
    noise = ACTION_NOISE if action_noise is None else action_noise
    if planner:
        from chunkenv.agents.sampling_planner import Planner

        return partial(collection.collect_plans, level, Planner(level), action_noise=noise)
    sources = collection.read_experts(experts or [], level, solve_rate, actions)
    return partial(collection.collect, level, sources, action_noise=noise, actions=actions)


def _collect_with_bar(
    console: Console, episodes: int | None, transitions: int | None, collect_all: Callable[..., Dataset]
) -> Dataset:
    """Collect under a progress bar over episodes or ticks; Ctrl-C ends with a sentence."""
    total, unit = (transitions, "transitions") if episodes is None else (episodes, "episodes")
    kept = 0

    def text(done: int) -> str:
        return f"{done}/{total} {unit}"

    def describe_kept() -> str:
        return f"at least {kept} episodes are kept. The same command goes on from there."

    with say_if_interrupted(console, describe_kept), progress_bar(console, text(0), total or 0) as move:

        def progress(episodes_kept: int, ticks_kept: int) -> None:
            nonlocal kept
            kept = episodes_kept
            done = min(ticks_kept if episodes is None else episodes_kept, total or 0)
            move(done, text(done))

        return collect_all(progress=progress)
