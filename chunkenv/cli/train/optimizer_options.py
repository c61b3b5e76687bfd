"""The options of every training that say how its weights descend."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from chunkenv.cli.command_line import real

OptimizerName: TypeAlias = Annotated[
    str | None,
    typer.Option("--optimizer", metavar="NAME", help="adam, adamw, muon or splus.", show_default="the algorithm's"),
]
Averaged: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--averaged/--no-averaged",
        help="Whether the result has averaged weights.",
        show_default="the algorithm's; averaged with splus",
    ),
]
LearningRate: TypeAlias = Annotated[
    float | None, real(help="At its highest.", default="the algorithm's; 0.1 with splus")
]
