"""`chunkenv data info`."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from chunkenv.cli.console_tables import print_table
from chunkenv.cli.data.dataset_options import Folder, expert_table
from chunkenv.data.dataset import Dataset, load
from chunkenv.data.summary import summarize_channels
from chunkenv.registration import task_of_level

BAR, SHADES = 30, " ░▒▓█"
RARE = 0.001
"""Shares below it are not rounded to 0: a task that ends with its success has it in one tick per episode."""


def info(folder: Folder) -> None:
    """Show what is in a dataset: episodes, solve rates by expert, how the actions are used."""
    dataset = load(folder)
    console = Console(highlight=False)
    keys = ("level", "observation", "noise", "seed", "episodes", "transitions", "chunkenv", "command")
    for key in keys:
        console.print(f"{key:<12} {dataset.info.get(key)}", soft_wrap=True, markup=False)
    task = task_of_level(dataset.info.get("level"))
    manipulation = task is not None and task.family is not None
    if manipulation:
        _show_attempts(dataset, console)
        _show_coverage(dataset, console)
    else:
        print_table(console, expert_table(dataset))
    print_table(console, _channel_table(dataset))
    answers = "episodes begin differently" if manipulation else "they all answer the same observation"
    console.print(
        f"first std: how much the first actions of the episodes differ ({answers}). "
        "two peaks: their bimodality coefficient, .33 for a Gaussian, .56 if uniform, 1 for two values."
    )


def _show_attempts(dataset: Dataset, console: Console) -> None:
    """The experts' episodes, without those that begin where the task is solved already."""
    from chunkenv.data.coverage import find_attempts

    attempts = find_attempts(dataset)
    print_table(console, expert_table(dataset, attempts))
    if solved := int((~attempts).sum()):
        console.print(
            f"{solved} more episodes begin where the task is solved already: there is nothing to solve, and neither "
            "episodes nor rate counts them.",
            soft_wrap=True,
        )


def _show_coverage(dataset: Dataset, console: Console) -> None:
    """How often each sub-goal held, and a map of where the cubes have been."""
    from chunkenv.data.coverage import map_visits, measure_coverage

    table = Table("as the task wants it", "ticks", "", "episodes", box=None, padding=(0, 2, 0, 0))
    for line in measure_coverage(dataset):
        bar = "█" * round(BAR * line.ticks)
        share = f"{line.ticks:.1%}" if line.ticks >= RARE or not line.episodes else f"below {RARE:.1%}"
        table.add_row(line.name, share, bar, f"{line.episodes}")
    print_table(console, table)
    places = map_visits(dataset)
    if places.any():
        shades = np.ceil((len(SHADES) - 1) * np.sqrt(places / places.max())).astype(int)
        console.print("cubes on the table, x upwards from 0.25 to 0.6 m, y from -0.35 to 0.35 m:")
        for row in shades[::-1]:
            console.print("  |" + "".join(2 * SHADES[shade] for shade in row) + "|", highlight=False)


def _channel_table(dataset: Dataset) -> Table:
    names = ("channel", "low", "high", "mean", "std", "at ±1", "first std", "two peaks")
    table = Table(*names, box=None, padding=(0, 2, 0, 0))
    for index, channel in enumerate(summarize_channels(dataset)):
        table.add_row(f"{index}", *(f"{value:.3f}" for value in channel))
    return table
