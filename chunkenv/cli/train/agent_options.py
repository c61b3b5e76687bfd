"""Options that the commands share which train agents of chunks."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from chunkenv.cli.command_line import LARGEST_SEED, LONGEST, complete_task, real, whole

VectorTask: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="One of ours, or any id whose observations and actions are vectors.", autocompletion=complete_task
    ),
]
Chunk: TypeAlias = Annotated[int, whole(help="Actions that an inference decides.", at_most=LONGEST)]
ExecutionHorizon: TypeAlias = Annotated[
    int | None, whole(help="Ticks between inferences.", at_most=LONGEST, default="chunk")
]
Delay: TypeAlias = Annotated[int, whole(help="Ticks that an inference takes.", at_most=LONGEST)]
Prefix: TypeAlias = Annotated[
    bool, typer.Option("--prefix/--no-prefix", help="With a delay: show the agent what is decided already.")
]
Discount: TypeAlias = Annotated[float, real(help="Per tick.")]
Hidden: TypeAlias = Annotated[str, typer.Option(metavar="WIDTHS", help="Of the hidden layers.")]
EvaluateEvery: TypeAlias = Annotated[int, whole(help="Updates between evaluations.")]
Episodes: TypeAlias = Annotated[int, whole(help="Of an evaluation.")]
Seed: TypeAlias = Annotated[int, whole(help="The same seed gives the same agent, to the bit.", at_most=LARGEST_SEED)]
