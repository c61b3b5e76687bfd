"""The `chunkenv` command: its subcommands are here, those for studies in `chunkenv.cli.bench`."""

from __future__ import annotations

import platform
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import typer
import typer.core
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from chunkenv.cli import bench, data, train
from chunkenv.cli import scene as playing
from chunkenv.errors import ChunkenvError
from chunkenv.evaluate import Row
from chunkenv.kinetix import LEVELS
from chunkenv.manipulation.families import CONTROL_DT, FAMILY
from chunkenv.registration import TASKS
from chunkenv.utils.extras import EXTRAS, installed_versions, require, version
from chunkenv.utils.rendering import Window
from chunkenv.utils.video import open_video


class PlainErrors(typer.core.TyperGroup):
    """Turns errors that speak for themselves into one sentence and exit code 2, and Ctrl-C into exit code 130."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except ChunkenvError as error:
            _complain(error)
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(130) from error


def _complain(error: ChunkenvError) -> None:
    """The sentence; before it the traceback, where the error has one from a worker."""
    console = Console(stderr=True, highlight=False)
    console.print(escape(getattr(error, "traceback", "")), style="dim", end="")
    console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)


START = "Start with: chunkenv bench delay --quick"
app = typer.Typer(
    cls=PlainErrors, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", epilog=START
)
app.add_typer(bench.app, name="bench")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")


@app.callback()
def about() -> None:
    """Chunked actions and inference latency for Gymnasium environments, and tasks to study them on."""


@app.command()
def tasks() -> None:
    """List the tasks: ids, spaces, time limits, control periods."""
    require("kinetix")
    table = Table("id", "observation", "action", "limit", "control_dt", box=None, padding=(0, 1, 0, 0))
    for level in LEVELS:
        env = gym.make(f"chunkenv/kinetix-{level}-v0")
        limit = env.spec.max_episode_steps if env.spec else None
        spaces = (_shape(env.observation_space), _shape(env.action_space))
        table.add_row(f"chunkenv/kinetix-{level}-v0", *spaces, f"{limit}", f"1/{env.metadata['render_fps']} s")
        env.close()
    _add_manipulation(table)
    console = Console(highlight=False)
    console.print(table)
    console.print("\nThe limit is in ticks (control steps); control_dt is the time of one.")


def _add_manipulation(table: Table) -> None:
    """Two lines for each family: its tasks, and all of them conditioned on the goal. Nothing is compiled for it."""
    for name, family in FAMILY.items():
        rest = "Box[5]", f"{family.time_limit}", f"1/{1 / CONTROL_DT:.0f} s"
        table.add_row(f"chunkenv/manip-{name}-task{TASKS[0]}..{TASKS[-1]}-v0", f"Box[{family.features}]", *rest)
        table.add_row(f"chunkenv/manip-{name}-v0", "Dict", *rest)


@app.command()
def play(
    task: Annotated[
        str, typer.Argument(help="A Kinetix level, a manipulation task (scene-task1), or the id of any environment.")
    ],
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Of {', '.join(playing.METHODS)}.",
            show_default="prefix-aware on Kinetix, oracle on manipulation tasks, random elsewhere",
        ),
    ] = None,
    agent: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `chunkenv train qc` wrote: it plays, instead of a method.")
    ] = None,
    delay: Annotated[
        int | None, typer.Option(metavar="N", help="Inference delay in ticks.", show_default="0, or the agent's")
    ] = None,
    prediction_horizon: Annotated[
        int | None, typer.Option(metavar="N", help="Rows in a chunk.", show_default="8, or the agent's")
    ] = None,
    execution_horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            "--execution-horizon",
            metavar="N",
            help="Ticks between inferences.",
            show_default="4, or the agent's",
        ),
    ] = None,
    action_noise: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="Standard deviation.", show_default="the study's on Kinetix; 0 elsewhere and for agents"
        ),
    ] = None,
    episodes: Annotated[int, typer.Option(metavar="N", help="How many, one after another.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed plays the same episodes.")] = 0,
    size: Annotated[
        int | None,
        typer.Option(metavar="N", help="Width of a frame in pixels; our own tasks only.", show_default="500 or 480"),
    ] = None,
    video: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an .mp4 or a .gif; else a window.")] = None,
) -> None:
    """Watch a method play a task with inference delay: which chunk acts, what is being inferred, what is late."""
    scene = playing.Scene(task, method, delay, prediction_horizon, execution_horizon, action_noise, size, agent)
    if scene.level:
        require("kinetix")
    if scene.agent:
        require("agents")
    rows = playing.play(scene, partial(open_video, video) if video else Window, episodes, seed)
    console = Console(highlight=False)
    console.print(_table(rows))
    if video:
        console.print(f"video  {video}", soft_wrap=True)


SHOWN = ("seed", "ticks", "return", "success", "underruns", "decisions")


def _table(rows: list[Row]) -> Table:
    """A line for each episode."""
    table = Table(*SHOWN, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        values = [row[name] for name in SHOWN]
        table.add_row(*(f"{value:g}" if isinstance(value, float) else f"{value}" for value in values))
    return table


@app.command()
def doctor() -> None:
    """Show what is installed, and what each missing extra would give."""
    console = Console(highlight=False)
    console.print(f"chunkenv {version('chunkenv')} on Python {platform.python_version()}, {sys.platform}")
    console.print(f"gymnasium {version('gymnasium')}, numpy {version('numpy')}")
    table = Table("extra", "gives", "installed", Column("to install what is missing", overflow="fold"), show_lines=True)
    for extra in EXTRAS:
        found = installed_versions(extra)
        parts = "\n".join(f"{name} {number or 'missing'}" for name, number in found.items())
        command = "" if all(found.values()) else f'pip install "chunkenv[{extra.name}]"'
        table.add_row(extra.name, extra.gives, parts, escape(command))
    console.print(table)


def _shape(space: gym.Space[Any]) -> str:
    """A space in a few characters."""
    return f"{type(space).__name__}{list(space.shape or ())}"
