"""Files that are there whole or not at all, and what is said when they cannot be."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from chunkenv.errors import ChunkenvError

PARTIAL = ".partial"


class DataError(ChunkenvError, ValueError):
    """A dataset that cannot be read or written: damaged, unfinished, of another kind, or without room on the disk."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which is under its name, and on the disk, once the block has ended, or not at all.

    Raises:
        DataError: it cannot be written, for example because the disk is full.
    """
    # Two processes that write the same file must not write into one another's.
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written ({error.strerror}); make room, or choose another folder.") from error


def write_column(path: Path, shape: tuple[int, ...], dtype: np.dtype, arrays: Iterable[np.ndarray]) -> str:
    """Write arrays one after another as one .npy file, and return its SHA-256.

    Nothing is mapped for writing: a full disk would end the process by a signal instead of raising an error.

    Args:
        path: of the file.
        shape: of all arrays together, stacked along the first axis.
        dtype: of all of them.
        arrays: in order.
    """
    digest = hashlib.sha256()
    with whole_file(path) as file:
        both = _Tee(file, digest)
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(both, header)  # pyright: ignore[reportArgumentType] (it only writes)
        for array in arrays:
            both.write(np.ascontiguousarray(array, dtype).tobytes())
    return digest.hexdigest()


class _Tee:
    """Writes into a file and a digest."""

    def __init__(self, file: BinaryIO, digest: Any) -> None:
        self._file, self._digest = file, digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    with whole_file(path) as file:
        file.write((json.dumps(value, indent=1) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """The object of a JSON file.

    Raises:
        DataError: there is none that can be read.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); collect the data again.") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} is damaged: it holds no JSON object; collect the data again.")
    return value


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
