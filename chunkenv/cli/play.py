"""`chunkenv play`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chunkenv.cli.command_line import LARGEST_SEED, LONGEST, AnyTask, real, whole
from chunkenv.cli.console_tables import print_table
from chunkenv.cli.interrupts import say_if_interrupted
from chunkenv.cli.scene import METHODS, PlayedScene, play_scene
from chunkenv.evaluate import Row
from chunkenv.utils.extras import require
from chunkenv.utils.rendering import Window, draw_unseen
from chunkenv.utils.video import open_video

SHOWN = ("seed", "ticks", "return", "success", "underruns", "decisions")


def play(
    task: AnyTask,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Of {', '.join(METHODS)}.",
            show_default="prefix-aware on Kinetix, oracle on manipulation tasks, random elsewhere",
        ),
    ] = None,
    agent: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `chunkenv train qc` wrote: it plays, instead of a method.")
    ] = None,
    guidance: Annotated[
        float | None, real(help="The weight w of an agent of `chunkenv train cfgrl`.", default="the agent's")
    ] = None,
    wordings: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of instructions: train or held-out.", show_default="the model's"),
    ] = None,
    goals: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What they are about: tasks, train or held-out.", show_default="the model's"),
    ] = None,
    delay: Annotated[
        int | None, whole(help="Inference delay in ticks.", at_most=LONGEST, default="0, or the agent's")
    ] = None,
    prediction_horizon: Annotated[
        int | None, whole(help="Rows in a chunk.", at_most=LONGEST, default="8, or the agent's")
    ] = None,
    execution_horizon: Annotated[
        int | None,
        whole(
            "--horizon",
            "--execution-horizon",
            help="Ticks between inferences.",
            at_most=LONGEST,
            default="4, or the agent's",
        ),
    ] = None,
    max_in_flight: Annotated[int, whole(help="Inferences under way at a time.", at_most=LONGEST)] = 1,
    correction: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.py:NAME", help="Your correction of every tick: a function that makes it, without arguments."
        ),
    ] = None,
    action_noise: Annotated[
        float | None,
        real(help="Standard deviation.", default="the study's on Kinetix; 0 elsewhere and for agents"),
    ] = None,
    episodes: Annotated[int, whole(help="How many, one after another.")] = 1,
    seed: Annotated[int, whole(help="The same seed plays the same episodes.", at_most=LARGEST_SEED)] = 0,
    size: Annotated[
        int | None,
        whole(help="Width of a frame in pixels; our own tasks only.", default="500 or 480"),
    ] = None,
    video: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an .mp4 or a .gif; else a window.")] = None,
) -> None:
    """Watch a method play a task with inference delay: which chunk acts, what is being inferred, what is late."""
    lengths = (delay, prediction_horizon, execution_horizon)
    asked = (guidance, wordings, goals)
    scene = PlayedScene(task, method, *lengths, action_noise, size, agent, max_in_flight, correction, *asked)
    if scene.level:
        require("kinetix")
    if scene.agent:
        require("agents")
    console = Console(highlight=False)

    def what_is_kept() -> str:
        return f"{video} ends there." if video and video.exists() else "nothing is kept."

    if video:
        draw_unseen()
    with say_if_interrupted(console, what_is_kept):
        rows = play_scene(scene, partial(open_video, video) if video else Window, episodes, seed)
    print_table(console, _episode_table(rows))
    if video:
        console.print(f"video  {video}", soft_wrap=True)


def _episode_table(rows: list[Row]) -> Table:
    """A line for each episode."""
    table = Table(*SHOWN, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        values = [row[name] for name in SHOWN]
        table.add_row(*(f"{value:g}" if isinstance(value, float) else f"{value}" for value in values))
    return table
