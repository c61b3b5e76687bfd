"""What several commands for datasets share: options, and the table of a dataset's experts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
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


def expert_table(dataset: Dataset, attempts: np.ndarray | None = None) -> Table:
    """A line for each expert, and one for all; of the episodes that are attempts (bool[E]), if they are given."""
    table = Table("expert", "saved at", "episodes", "solved", "rate", "ticks", box=None, padding=(0, 2, 0, 0))
    lines = summarize_experts(dataset, attempts)
    for line, expert in zip(lines, dataset.info["experts"], strict=True):
        saved = f"{expert['solve_rate']:.3f}" if "solve_rate" in expert else ""
        table.add_row(line.name, saved, *_numbers(line.episodes, line.solved, line.ticks))
    episodes, solved = sum(line.episodes for line in lines), sum(line.solved for line in lines)
    ticks = sum(line.episodes * line.ticks for line in lines) / max(1, episodes)
    table.add_row("all", "", *_numbers(episodes, solved, ticks))
    return table


def _numbers(episodes: int, solved: int, ticks: float) -> tuple[str, ...]:
    rate = solved / episodes if episodes else math.nan
    return f"{episodes}", f"{solved}", f"{rate:.3f}", f"{ticks:.1f}"
