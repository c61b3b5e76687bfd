"""Checks of a dataset: against its meta.json, and for consistency."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chunkenv.data.dataset import Dataset, load, read_meta
from chunkenv.data.dataset_files import sha256_of


def check_dataset(path: str | Path) -> list[str]:
    """The problems of a dataset, a sentence each; an empty list if it is sound.

    Checks shapes, types and checksums of all files, looks for NaN and infinity, and checks that episodes follow one
    another and end where they say.

    Raises:
        DataError: it cannot be opened at all.
    """
    folder = Path(path)
    dataset = load(folder)
    return [*_find_damage(folder), *_check_lengths(dataset), *_find_not_finite(dataset), *_check_order(dataset)]


def _find_damage(folder: Path) -> Iterator[str]:
    for name, described in read_meta(folder)["columns"].items():
        path = folder / f"{name}.npy"
        if sha256_of(path) != described["sha256"]:
            yield f"{path} is damaged: its SHA-256 is not that of meta.json."


def _check_lengths(dataset: Dataset) -> Iterator[str]:
    """Columns that are not of one length; the sums of the table are compared in `_check_order`."""
    ticks = {name: len(getattr(dataset, name)) for name in ("observations", "actions", "terminated", "truncated")}
    ticks |= {"episode": len(dataset.episode), "rewards": len(dataset.rewards)}
    if len(set(ticks.values())) > 1:
        yield f"The columns have different lengths: {ticks}."
    episodes = {name: len(column) for name, column in dataset.episodes._asdict().items()}
    if len(set(episodes.values())) > 1:
        yield f"The columns of episodes have different lengths: {episodes}."
    counts = {"transitions": ticks["rewards"], "episodes": episodes["length"]}
    for name, count in counts.items():
        if dataset.info.get(name) != count:
            yield f"There are {count} {name}, but meta.json says {dataset.info.get(name)}."


def _find_not_finite(dataset: Dataset) -> Iterator[str]:
    columns = {name: getattr(dataset, name) for name in ("observations", "actions", "rewards")}
    for name, column in (columns | {"final_observation": dataset.episodes.final_observation}).items():
        bad = np.flatnonzero(~np.isfinite(column).reshape(len(column), -1).all(axis=1))
        if bad.size:
            yield f"{name} has NaN or infinity in {len(bad)} rows, first in row {bad[0]}."


def _check_order(dataset: Dataset) -> Iterator[str]:
    table = dataset.episodes
    starts = np.cumsum(table.length, dtype=np.int64) - table.length
    count = len(dataset.rewards)
    if (table.length < 1).any() or not np.array_equal(table.start, starts) or starts[-1] + table.length[-1] != count:
        yield "The episodes do not lie one behind the other: start and length do not fit."
        return
    if not np.array_equal(dataset.episode, np.repeat(np.arange(len(starts)), table.length)):
        yield "The column episode does not fit the table of episodes."
    ends = np.flatnonzero(dataset.terminated | dataset.truncated)
    if not np.array_equal(ends, starts + table.length - 1):
        yield "Episodes do not end where they should: terminated or truncated must be set in each one's last row only."
    experts = len(dataset.info.get("experts", []))
    if table.expert.min() < 0 or table.expert.max() >= experts:
        yield f"Experts {table.expert.min()} to {table.expert.max()} have played, but meta.json names {experts}."
