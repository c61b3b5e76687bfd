"""What the commands share that begin with the weights of a flow policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from chunkenv.cli.command_line import command_line
from chunkenv.cli.train.demonstrations import describe_data
from chunkenv.data import Dataset

if TYPE_CHECKING:
    from chunkenv.agents import FlowPolicy
    from chunkenv.agents.common.checkpoint_file import Facts

StartFrom: TypeAlias = Annotated[
    str,
    typer.Option(metavar="NAME", help="The policy to begin with: a family, a folder of policies, or a file."),
]


def read_start(start_from: str, level: str, kind: str) -> FlowPolicy:
    """The policy that a training begins with.

    Args:
        start_from: a file of `chunkenv train flow`, a family, or a folder of policies.
        level: its level.
        kind: which one of a family.

    Raises:
        ArgumentError: it is not there.
    """
    from chunkenv.agents import load_flow_policy, load_pretrained

    path = Path(start_from)
    return load_flow_policy(path) if path.suffix == ".safetensors" else load_pretrained(level, kind, start_from)


def facts_of(context: typer.Context, level: str, dataset: Dataset, start: FlowPolicy) -> Facts:
    """What a tuned policy says of itself."""
    command = command_line("train", context, leave_out=())
    return {"level": level, "command": command, "data": describe_data(dataset), "start": describe_start(start)}


def describe_start(start: FlowPolicy) -> Facts:
    """How the policy was made that a training begins with."""
    return {name: start.facts[name] for name in ("command", "seed", "updates") if name in start.facts}
