"""The plain form of a dataset: a folder with a .npy file for each column, and meta.json.

Columns with one row per tick: `observations.npy` (before the action), `actions.npy` (as intended, without the noise
that the environment got on top), `rewards.npy`, `terminated.npy`, `truncated.npy` and `episode.npy`. Columns with one
row per episode: `episodes/start.npy` and the others of `Episodes`. `meta.json` says what the data are and how they were
made, with shape, type and SHA-256 of each column. It is written last: a folder without it is an unfinished collection.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chunkenv.data.dataset_files import DataError, Info, read_json, write_column, write_json
from chunkenv.data.episodes import Episode, as_block
from chunkenv.errors import ArgumentError

FORMAT = "chunkenv-data-1"
META = "meta.json"
TICK_COLUMNS = ("observations", "actions", "rewards", "terminated", "truncated", "episode")
EPISODE_COLUMNS = ("start", "length", "success", "expert", "seed", "final_observation")


class Episodes(NamedTuple):
    """The episodes of a dataset.

    Attributes:
        start: int64[E], the index of each one's first tick; episodes follow one another, in order.
        length: int32[E], its ticks.
        success: bool[E], whether it was solved.
        expert: int32[E], which expert played it: an index into `info["experts"]`.
        seed: int64[E], of its own randomness: `env.reset(seed=...)` plays it again.
        final_observation: [E, O], the observation after its last tick.
    """

    start: np.ndarray
    length: np.ndarray
    success: np.ndarray
    expert: np.ndarray
    seed: np.ndarray
    final_observation: np.ndarray


@dataclass(frozen=True, eq=False)
class Dataset:
    """The ticks of many episodes, in columns that stay on the disk until they are read.

    Attributes:
        observations: float32[T, O], before each tick's action.
        actions: float32[T, A], as intended: without noise.
        rewards: float32[T].
        terminated: bool[T], whether the task ended with this tick.
        truncated: bool[T], whether a limit cut the episode after this tick.
        episode: int32[T], the episode of each tick: an index into `episodes`.
        episodes: the table of episodes.
        info: level, observation, experts (name, sha256, ...), noise, seed, command, and so on.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    episode: np.ndarray
    episodes: Episodes
    info: Info

    def __len__(self) -> int:
        return len(self.rewards)


@dataclass(frozen=True)
class ShardSlice:
    """A part of a dataset to write: `read(name)` gives a column, of which the first ticks or episodes count."""

    read: Callable[[str], np.ndarray]
    ticks: int
    episodes: int


def load(path: str | Path) -> Dataset:
    """The dataset of a folder; columns are memory-mapped, so this takes no time however large it is.

    Raises:
        DataError: there is none, its collection has not finished, or a file is missing or of another shape or type
            than meta.json says. Contents are not checked: `chunkenv data check` does that.
    """
    folder = Path(path)
    meta = read_meta(folder)
    ticks = {name: _open(folder, name, meta) for name in TICK_COLUMNS}
    episodes = Episodes(*(_open(folder, f"episodes/{name}", meta) for name in EPISODE_COLUMNS))
    return Dataset(**ticks, episodes=episodes, info={key: value for key, value in meta.items() if key != "columns"})


def read_meta(folder: Path) -> Info:
    """The contents of meta.json.

    Raises:
        DataError: it is not there, damaged, or of another format.
    """
    if not (folder / META).is_file():
        raise DataError(f"{folder} is no dataset: it is {_explain_missing_meta(folder)}.")
    meta = read_json(folder / META)
    if meta.get("format") != FORMAT or not isinstance(meta.get("columns"), dict):
        raise DataError(f"{folder / META} has format {meta.get('format')!r}, but this version reads {FORMAT!r}.")
    return meta


def _explain_missing_meta(folder: Path) -> str:
    """What a folder without meta.json is, for the error sentence."""
    if (folder / "parts").is_dir():
        return "an unfinished collection; the command that began it goes on with it"
    return f"without {META}" if folder.is_dir() else "not there"


def _open(folder: Path, name: str, meta: Info) -> np.ndarray:
    path, described = folder / f"{name}.npy", meta["columns"].get(name)
    try:
        array = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is missing or damaged ({error}); collect the data again.") from error
    found = _describe(array.shape, array.dtype)
    if described is None or {key: described.get(key) for key in found} != found:
        raise DataError(f"{path} is damaged: {found}, but {META} says {described}; collect the data again.")
    return array


def _describe(shape: Sequence[int], dtype: np.dtype) -> Info:
    return {"shape": list(shape), "dtype": str(dtype)}


def empty_folder(path: str | Path) -> Path:
    """The folder for a new dataset.

    Raises:
        ArgumentError: it is not empty.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"{folder} is not empty; choose another folder.")
    return folder


def write_episodes(
    path: str | Path, episodes: Sequence[Episode], info: Info, numbers: Sequence[int] | None = None
) -> Dataset:
    """Write episodes as a dataset, and open it.

    Args:
        path: of the folder for it, empty or not there.
        episodes: at least one.
        info: of the dataset; its `experts` are one, `unknown`, if it has none.
        numbers: what an error calls the episodes; 0, 1, ... if None.

    Raises:
        ArgumentError: the folder is not empty.
        DataError: an episode's columns do not fit one another, or its expert is not in `info`; nothing is
            written.
        UnwritableError: it cannot be written.
    """
    folder, block = empty_folder(path), as_block(episodes, numbers)
    info = {"experts": [{"name": "unknown"}]} | info
    _expect_experts(block["expert"], len(info["experts"]))
    whole = ShardSlice(block.__getitem__, len(block["rewards"]), len(block["length"]))
    return write_dataset(folder, [whole], info)


def _expect_experts(played: np.ndarray, count: int) -> None:
    if played.min() < 0 or played.max() >= count:
        raise DataError(f"Experts {played.min()} to {played.max()} have played, but info['experts'] names {count}.")


def write_dataset(folder: Path, slices: Sequence[ShardSlice], info: Info) -> Dataset:
    """Write slices as a dataset, column by column, meta.json last, and open it.

    A slice has every tick column but `episode`, and every episode column but `start`: these follow from the lengths.

    Raises:
        DataError: a slice's column has fewer rows than the slice, or rows of another kind than the first slice's.
        UnwritableError: it cannot be written.
    """
    lengths = np.concatenate([part.read("length")[: part.episodes] for part in slices]).astype(np.int32)
    columns: Info = {}
    for name in TICK_COLUMNS:
        if name == "episode":
            arrays: Iterable[np.ndarray] = [np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)]
        else:
            arrays = (_rows(part, name, part.ticks) for part in slices)
        columns[name] = _write_column(folder, name, int(lengths.sum()), arrays)
    for name in EPISODE_COLUMNS:
        if name == "start":
            arrays = [np.cumsum(lengths, dtype=np.int64) - lengths]
        else:
            arrays = (_rows(part, name, part.episodes) for part in slices)
        columns[f"episodes/{name}"] = _write_column(folder, f"episodes/{name}", len(lengths), arrays)
    counts = {"episodes": len(lengths), "transitions": int(lengths.sum())}
    write_json(folder / META, {"format": FORMAT, **info, **counts, "columns": columns})
    return load(folder)


def _rows(part: ShardSlice, name: str, count: int) -> np.ndarray:
    """The rows of a slice's column; fewer than it has ticks or episodes would shift all that follow."""
    column = part.read(name)
    if len(column) < count:
        raise DataError(f"A part of the dataset has {len(column)} rows of {name}, not {count}; collect it again.")
    return column[:count]


def _write_column(folder: Path, name: str, count: int, arrays: Iterable[np.ndarray]) -> Info:
    remaining = iter(arrays)
    first = next(remaining)
    shape = (count, *first.shape[1:])
    digest = write_column(folder / f"{name}.npy", shape, first.dtype, itertools.chain([first], remaining))
    return _describe(shape, first.dtype) | {"sha256": digest}
