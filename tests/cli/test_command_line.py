from pathlib import Path
from typing import Annotated

import typer
from typer.testing import CliRunner

from chunkenv.cli.command_line import command_line, whole

COMMANDS = []
app = typer.Typer()


@app.command()
def play(
    context: typer.Context,
    task: str,
    experts: Annotated[list[Path] | None, typer.Option()] = None,
    seed: Annotated[int, whole(help="Seed.")] = 0,
    planner: Annotated[bool, typer.Option("--planner")] = False,
    out: str = "here",
) -> None:
    COMMANDS.append(command_line("data", context, leave_out=("out",)))


def test_a_command_is_written_down_without_defaults_and_places():
    words = ["a task", "--experts", "a", "--experts", "b c", "--seed", "0", "--planner", "--out", "there"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert COMMANDS.pop() == "chunkenv data play 'a task' --experts a --experts 'b c' --seed 0 --planner"
