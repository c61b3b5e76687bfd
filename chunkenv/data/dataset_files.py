"""The files of a dataset: columns and JSON, and the error for what cannot be read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from chunkenv.errors import ChunkenvError
from chunkenv.utils.files import atomic_file

Info = dict[str, Any]
"""What a dataset says of itself: the object in its meta.json."""


class DataError(ChunkenvError, ValueError):
    """A dataset that cannot be read: damaged, unfinished, or of another kind."""


def write_column(path: Path, shape: tuple[int, ...], dtype: np.dtype, arrays: Iterable[np.ndarray]) -> str:
    """Write arrays one after another as one .npy file, and return its SHA-256.

    The file is not memory-mapped: with a full disk, that would end the process by a signal instead of an error.

    Args:
        path: of the file.
        shape: of all arrays together, stacked along the first axis.
        dtype: of all of them.
        arrays: in order.

    Raises:
        DataError: an array has rows of another shape or type, which would be taken for other rows.
    """
    digest = hashlib.sha256()
    with atomic_file(path) as file:
        tee = _Tee(file, digest)
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(tee, header)  # pyright: ignore[reportArgumentType] (it only writes)
        for array in arrays:
            if (array.shape[1:], array.dtype) != (shape[1:], dtype):
                found, expected = f"{array.dtype}{list(array.shape[1:])}", f"{dtype}{list(shape[1:])}"
                raise DataError(f"{path} would have rows of {found} after rows of {expected}; collect the data again.")
            tee.write(np.ascontiguousarray(array, dtype).tobytes())
    return digest.hexdigest()


class _Tee:
    """Writes into a file and a digest."""

    def __init__(self, file: BinaryIO, digest: hashlib._Hash) -> None:
        self._file, self._digest = file, digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, atomically."""
    with atomic_file(path) as file:
        file.write((json.dumps(value, indent=1) + "\n").encode())


def read_json(path: Path) -> Info:
    """The object of a JSON file.

    Raises:
        DataError: it cannot be read, or holds no object.
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
