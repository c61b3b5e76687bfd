"""What several commands for datasets share: options, and the table of a dataset's experts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from chunkenv.data.dataset import Dataset
from chunkenv.data.summary import summarize_experts

DATASETS = Path("results") / "data"
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Of a dataset.")]
NewFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="For the dataset; empty or not there.")]


def describe_size(dataset: Dataset) -> str:
    """How much there is."""
    return f"{len(dataset.episodes.length)} episodes, {len(dataset)} transitions."


def expert_table(dataset: Dataset) -> Table:
    """A line for each expert, and one for all."""
    table = Table("expert", "saved at", "episodes", "solved", "rate", "ticks", box=None, padding=(0, 2, 0, 0))
    lines = summarize_experts(dataset)
    for line, expert in zip(lines, dataset.info["experts"], strict=True):
        saved = f"{expert['solve_rate']:.3f}" if "solve_rate" in expert else ""
        rate = line.solved / line.episodes if line.episodes else math.nan
        table.add_row(line.name, saved, f"{line.episodes}", f"{line.solved}", f"{rate:.3f}", f"{line.ticks:.1f}")
    episodes, solved = sum(line.episodes for line in lines), sum(line.solved for line in lines)
    table.add_row("all", "", f"{episodes}", f"{solved}", f"{solved / episodes:.3f}", f"{len(dataset) / episodes:.1f}")
    return table
