"""ogbench's published datasets (npz files), in the plain form, with the rewards of one task.

A file has trajectories of play without a task: `observations`, `actions` and `terminals`, 1 in the last row of each,
whose action was not executed any more (https://github.com/seohongpark/ogbench, `ogbench/utils.py`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import chunkenv
from chunkenv.data.coverage import goal_of
from chunkenv.data.dataset import Dataset, empty_folder, write_episodes
from chunkenv.data.dataset_files import DataError, sha256_of
from chunkenv.data.episodes import Episode
from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.scene.goals import agreement, objects_of
from chunkenv.registration import read_task
from chunkenv.utils.checks import one_of

KEYS = ("observations", "actions", "terminals")
REWARDS = ("count", "sparse")


def from_ogbench(path: str | Path, level: str, out: str | Path, reward: str = "count") -> Dataset:
    """Write a dataset of ogbench's in the plain form.

    Rewards and ends are those of the task, of the state after each action (`timing="next"`). An episode ends with every
    success; what the robot did afterwards is the next episode, so that no row is left out.

    Args:
        path: of the npz file.
        level: the task, such as "manip-cube-single-task2".
        out: the folder for it, empty or not there.
        reward: "count" or "sparse", as the environment has it.

    Raises:
        ArgumentError: an unknown task or reward, or a folder that is not empty.
        DataError: the file cannot be read, or is of another family.
        MissingExtraError: ogbench is not installed.
    """
    task, folder = read_task(level, "manipulation task"), empty_folder(out)
    one_of("reward", reward, REWARDS)
    family, arguments = FAMILY[str(task.family)], {"reward": reward}
    columns = _read(Path(path), family)
    episodes = list(_episodes(columns, family, goal_of(task.level), reward))
    info = {
        "level": task.level,
        "observation": "features",
        "arguments": arguments,
        "experts": [{"name": Path(path).name, "sha256": sha256_of(Path(path))}],
        "noise": None,
        "seed": None,
        "chunkenv": chunkenv.__version__,
        "command": "",
    }
    return write_episodes(folder, episodes, info)


def _read(path: Path, family: Family) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            columns = {key: file[key] for key in KEYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no dataset of ogbench, or damaged ({error}); download it again.") from error
    _expect_rows(path, columns, family)
    if not all((np.abs(columns[key]) <= np.finfo(np.float32).max).all() for key in KEYS):
        raise DataError(f"{path} has NaN or numbers that are not finite as float32; download it again.")
    if not columns["terminals"][-1:].any():
        raise DataError(f"{path} has no end of a trajectory in its last row (`terminals`); download it again.")
    return columns


def _expect_rows(path: Path, columns: dict[str, np.ndarray], family: Family) -> None:
    """Refuse columns that are not numbers of the family, or not of one length: their rows would not belong together."""
    rows = {key: f"{column.dtype}{list(column.shape[1:])}" for key, column in columns.items()}
    numbers = all(column.dtype.kind in "biuf" for column in columns.values())
    sizes = {key: column.shape[1:] for key, column in columns.items()}
    if not numbers or sizes != {"observations": (family.features,), "actions": (5,), "terminals": ()}:
        raise DataError(f"{path} has rows of {rows}, which are none of {family.name}; give a file of that family.")
    counts = {key: len(column) for key, column in columns.items()}
    if len(set(counts.values())) > 1:
        raise DataError(f"{path} has columns of different lengths: {counts}; download it again.")


def _episodes(columns: dict[str, np.ndarray], family: Family, wanted: np.ndarray, reward: str) -> Iterator[Episode]:
    """Trajectories, cut after every success."""
    held = agreement(family, objects_of(family, columns["observations"]), wanted)
    rewards = np.asarray(held.all(axis=1) - 1.0 if reward == "sparse" else held.sum(axis=1) - float(held.shape[1]))
    begin = 0
    for end in np.flatnonzero(columns["terminals"]):
        cuts = begin + 1 + np.flatnonzero(held[begin + 1 : end + 1].all(axis=1))
        for last in [*cuts.tolist(), *([int(end)] if not len(cuts) or cuts[-1] < end else [])]:
            if last > begin:
                yield _episode(columns, rewards, begin, last, bool(held[last].all()))
            begin = last
        begin = int(end) + 1


def _episode(columns: dict[str, np.ndarray], rewards: np.ndarray, begin: int, last: int, solved: bool) -> Episode:
    return Episode(
        observations=columns["observations"][begin : last + 1].astype(np.float32),
        actions=columns["actions"][begin:last].clip(-1, 1).astype(np.float32),
        rewards=rewards[begin + 1 : last + 1].astype(np.float32),
        terminated=solved,
        success=solved,
        expert=0,
        seed=-1,
    )
