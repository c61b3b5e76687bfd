"""Frames beside a dataset: one PNG for each observation, in one file, and the instructions of the episodes.

`frames/pictures.bin` has the PNGs one after another, those of an episode of T ticks first to last, T + 1 of them;
`frames/ends.npy`, int64[ticks + episodes], where each one ends; `frames/about.json`, written last, how they were seen,
the instruction of each episode, and the SHA-256 of both files.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import DataError, Info, read_json, sha256_of, write_json
from chunkenv.utils.extras import require
from chunkenv.utils.files import atomic_file

FOLDER = Path("frames")
PICTURES, ENDS, ABOUT = "pictures.bin", "ends.npy", "about.json"
COMPRESSION = 4
"""Of 9: more takes three times as long for 3 % less."""


class SavedFrames:
    """The frames of a dataset.

    Args:
        folder: of the dataset.

    Attributes:
        about: camera, size and geometry, and more.
        instructions: one for each episode, what was to be done, in words.

    Raises:
        DataError: there are none, or they are damaged.
        MissingExtraError: pillow is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        require("render", "PIL")
        place = Path(folder) / FOLDER
        if not has_frames(folder):
            raise DataError(
                f"{folder} has no frames; `chunkenv data render {folder}` adds them to what an oracle played."
            )
        self.about = read_json(place / ABOUT)
        self.instructions: list[str] = self.about["instructions"]
        self._ends = np.load(place / ENDS, allow_pickle=False)
        self._pictures = np.memmap(place / PICTURES, np.uint8, "r")
        if len(self._pictures) != self._ends[-1]:
            raise DataError(f"{place / PICTURES} is damaged: it has {len(self._pictures)} bytes, not {self._ends[-1]}.")

    def __len__(self) -> int:
        return len(self._ends)

    def read(self, numbers: Iterable[int]) -> np.ndarray:
        """Frames by their numbers: uint8[N, size, size, 3].

        Args:
            numbers: those of an episode follow one another: `first(dataset, episode)` and the next T.
        """
        return np.stack([self._decode(int(number)) for number in numbers])

    def of_episode(self, dataset: Dataset, episode: int) -> np.ndarray:
        """The frames of an episode of T ticks: uint8[T + 1, size, size, 3], the last one after the last tick."""
        first = first_frame(dataset, episode)
        return self.read(range(first, first + int(dataset.episodes.length[episode]) + 1))

    def _decode(self, number: int) -> np.ndarray:
        from PIL import Image

        start = int(self._ends[number - 1]) if number else 0
        data = self._pictures[start : int(self._ends[number])].tobytes()
        try:
            return np.asarray(Image.open(io.BytesIO(data)))
        except (OSError, SyntaxError) as error:
            raise DataError(f"Frame {number} is damaged ({error}); render the dataset again.") from error


def has_frames(folder: str | Path) -> bool:
    """Whether a dataset's folder has frames."""
    return (Path(folder) / FOLDER / ABOUT).is_file()


def first_frame(dataset: Dataset, episode: int) -> int:
    """The number of an episode's first frame: every episode before it has one frame more than ticks."""
    return int(dataset.episodes.start[episode]) + episode


def write_frames(folder: str | Path, frames: Iterable[np.ndarray], instructions: list[str], about: Info) -> SavedFrames:
    """Write frames beside a dataset as they come, one in memory at a time.

    Args:
        folder: of the dataset.
        frames: uint8[size, size, 3], of all observations of all episodes, in order.
        instructions: filled by the time the frames have come, one for each episode.
        about: how they were seen.

    Raises:
        UnwritableError: they cannot be written.
        MissingExtraError: pillow is not installed.
    """
    require("render", "PIL")
    place, digest, ends = Path(folder) / FOLDER, hashlib.sha256(), [0]
    with atomic_file(place / PICTURES) as file:
        for picture in _encode(frames):
            digest.update(picture)
            file.write(picture)
            ends.append(ends[-1] + len(picture))
    with atomic_file(place / ENDS) as file:
        np.save(file, np.array(ends[1:], np.int64))
    sums = {PICTURES: digest.hexdigest(), ENDS: sha256_of(place / ENDS)}
    write_json(place / ABOUT, {**about, "instructions": instructions, "sha256": sums})
    return SavedFrames(folder)


def check_frames(folder: str | Path, dataset: Dataset) -> list[str]:
    """The problems of a dataset's frames, a sentence each; none if there are no frames."""
    place = Path(folder) / FOLDER
    if not has_frames(folder):
        return []
    about, ends = read_json(place / ABOUT), np.load(place / ENDS, allow_pickle=False)
    damaged = [name for name, digest in about["sha256"].items() if sha256_of(place / name) != digest]
    problems = [f"{place / name} is damaged: its SHA-256 is not that of {ABOUT}." for name in damaged]
    expected = len(dataset) + len(dataset.episodes.length)
    if len(ends) != expected or len(about["instructions"]) != len(dataset.episodes.length):
        problems.append(
            f"{place} has {len(ends)} frames and {len(about['instructions'])} instructions, which do not fit."
        )
    return problems


def _encode(frames: Iterable[np.ndarray]) -> Iterator[bytes]:
    from PIL import Image

    for frame in frames:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "png", compress_level=COMPRESSION)
        yield buffer.getvalue()
