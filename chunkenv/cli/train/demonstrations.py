"""The demonstrations that a training is given, and what it remembers of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chunkenv.data import Dataset
from chunkenv.data import load as load_data
from chunkenv.errors import ArgumentError


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """What a policy remembers of its data: how much, by whom, how good, and how it was made."""
    rate = float(dataset.episodes.success.mean())
    counts = {"transitions": len(dataset), "episodes": len(dataset.episodes.length), "solve_rate": round(rate, 4)}
    return {**counts, **{key: value for key, value in dataset.info.items() if key not in counts}}


def load_of_level(path: Path, level: str) -> Dataset:
    """The demonstrations in a folder.

    Raises:
        ArgumentError: they are of another level, or there are none.
    """
    dataset = load_data(path)
    found = dataset.info.get("level")
    if found != level:
        raise ArgumentError(f"{path} has demonstrations of {found!r}, not of {level!r}; give the folder of that level.")
    return dataset
