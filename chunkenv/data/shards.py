"""An unfinished collection: blocks of episodes, a file each, so that no finished block is played again."""

from __future__ import annotations

import itertools
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from chunkenv.data.dataset import META, Dataset, ShardSlice, write_dataset
from chunkenv.data.dataset_files import DataError, Info, read_json, write_json
from chunkenv.data.episodes import Block
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import PARTIAL, atomic_file

RECIPE = "recipe.json"


@dataclass(frozen=True)
class CollectionSize:
    """How much is collected: this many episodes, or so many that they have this many ticks together."""

    episodes: int | None
    transitions: int | None

    def episodes_needed(self, lengths: np.ndarray) -> int | None:
        """How many of the first episodes, with these lengths, are enough; None if all are too few."""
        if self.episodes is not None:
            return self.episodes if len(lengths) >= self.episodes else None
        enough = np.flatnonzero(np.cumsum(lengths) >= self.transitions)
        return int(enough[0]) + 1 if enough.size else None

    def numbers(self, block: int, block_size: int) -> range:
        """The episodes of a block of `block_size`, without those that are not needed if episodes are counted."""
        stop = (block + 1) * block_size
        return range(block * block_size, stop if self.episodes is None else min(stop, self.episodes))


class ShardStore:
    """The blocks of episodes in a folder.

    Args:
        folder: of the future dataset.
        block_size: episodes in a block.
        recipe: what decides the rows, as JSON has it: blocks of another recipe are never mixed with these.

    Raises:
        ArgumentError: the folder holds blocks of another recipe.
        DataError: it cannot be read.
        UnwritableError: it cannot be written.
    """

    def __init__(self, folder: Path, block_size: int, recipe: Info) -> None:
        self._out, self._folder, self._block_size = folder, folder / "parts", block_size
        self._check_recipe(recipe)
        self._lengths = {
            int(path.stem): lengths for path in self._files() if (lengths := _read_lengths(path)) is not None
        }

    def _check_recipe(self, recipe: Info) -> None:
        path = self._folder / RECIPE
        if not path.is_file():
            write_json(path, recipe)
            return
        found = read_json(path)
        if found != recipe:
            keys = [key for key in recipe if found.get(key) != recipe[key]]
            raise ArgumentError(
                f"{self._out} holds an unfinished collection with other settings ({', '.join(keys)}); give the same "
                "ones, or another folder."
            )

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.npz"))

    @property
    def counts(self) -> tuple[int, int]:
        """Episodes and ticks that are kept."""
        lengths = self._lengths.values()
        return sum(map(len, lengths)), int(sum(each.sum() for each in lengths))

    def episodes_needed(self, size: CollectionSize) -> int | None:
        """How many of the first episodes are enough; None if some of them are missing."""
        return size.episodes_needed(np.concatenate([np.zeros(0, np.int32), *self._in_order()]))

    def missing_blocks(self, size: CollectionSize) -> Iterator[int]:
        """The blocks that are still to be played, in order; without end where ticks are counted."""
        for block in itertools.count():
            wanted = len(size.numbers(block, self._block_size))
            if not wanted:
                return
            if len(self._lengths.get(block, ())) < wanted:
                yield block

    def keep(self, number: int, block: Block) -> None:
        """Write a block; it is on the disk when this returns."""
        with atomic_file(self._path(number)) as file:
            np.savez(file, **block)  # pyright: ignore[reportArgumentType] (savez takes any names)
        self._lengths[number] = block["length"]

    def write(self, episodes: int, info: Info) -> Dataset:
        """Make a dataset of the first episodes; the blocks are no longer needed then."""
        dataset = write_dataset(self._out, list(self._slices(episodes)), info)
        remove_shards(self._out)
        return dataset

    def _in_order(self) -> Iterator[np.ndarray]:
        """The lengths of the blocks from the first on, up to a gap, or a block that is cut short."""
        for number in itertools.count():
            if number not in self._lengths:
                return
            yield self._lengths[number]
            if len(self._lengths[number]) < self._block_size:
                return

    def _slices(self, episodes: int) -> Iterator[ShardSlice]:
        for number, lengths in enumerate(self._in_order()):
            count = min(episodes - number * self._block_size, len(lengths))
            if count <= 0:
                return
            yield ShardSlice(partial(_read_column, self._path(number)), int(lengths[:count].sum()), count)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npz"


def remove_shards(folder: Path) -> None:
    """Remove the files of a collection whose dataset is written."""
    assert (folder / META).is_file()
    shutil.rmtree(folder / "parts", ignore_errors=True)
    for path in [*folder.glob(f"*{PARTIAL}"), *folder.glob(f"episodes/*{PARTIAL}")]:
        path.unlink(missing_ok=True)


def _read_column(path: Path, name: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as block:
            return block[name]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged ({error}); remove it, and the same command plays it again.") from error


def _read_lengths(path: Path) -> np.ndarray | None:
    """The lengths of a block's episodes; None, and the file is removed, if any of it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as block:
            columns = {name: block[name] for name in block.files}  # reading compares the checksums of the archive
        return columns["length"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        path.unlink(missing_ok=True)
        return None
