"""The `chunkenv` command: one file a command, one folder a group of commands; errors are one sentence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer
import typer.core
from rich.console import Console
from rich.markup import escape

from chunkenv import __version__
from chunkenv.cli import bench, course, data, doctor, play, serve, tasks, trace, train
from chunkenv.cli.interrupts import exit_code, raise_signals
from chunkenv.errors import ChunkenvError


class PlainErrors(typer.core.TyperGroup):
    """Turns an error of this package into one sentence and exit code 2, Ctrl-C and its like into 128 + the signal."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            with raise_signals(), warnings.catch_warnings():
                warnings.showwarning = partial(_show_warning, warnings.showwarning)
                return super().invoke(ctx)
        except ChunkenvError as error:
            _show_error(error)
            raise typer.Exit(2) from error
        except KeyboardInterrupt as interrupt:
            Console(stderr=True).print("Interrupted.")
            raise typer.Exit(exit_code(interrupt)) from interrupt


def _show_error(error: ChunkenvError) -> None:
    """The sentence; before it the traceback, if the error has one from a worker."""
    console = Console(stderr=True, highlight=False)
    console.print(escape(getattr(error, "traceback", "")), style="dim", end="")
    console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)


def _show_warning(
    as_python_does: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any, **kwargs: Any
) -> None:
    """One of this package's as its sentence, without the line of code that it came from."""
    if category.__module__.startswith("chunkenv."):
        Console(stderr=True, highlight=False).print(f"[bold yellow]warning:[/] {escape(str(message))}", soft_wrap=True)
    else:
        as_python_does(message, category, *where, **kwargs)


START = "Start with: chunkenv bench delay --quick"
app = typer.Typer(cls=PlainErrors, no_args_is_help=True, rich_markup_mode="markdown", epilog=START)
for command in (tasks.tasks, play.play, serve.serve, doctor.doctor):
    app.command()(command)
app.add_typer(bench.app, name="bench")
app.add_typer(course.app, name="course")
app.add_typer(data.app, name="data")
app.add_typer(trace.app, name="trace")
app.add_typer(train.app, name="train")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chunkenv {__version__}")
        raise typer.Exit()


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Chunked actions and inference latency for Gymnasium environments, and tasks to study them on."""
