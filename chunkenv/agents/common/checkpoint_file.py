"""Checkpoints: safetensors files that say what they are.

A file holds its kind, its facts as JSON, and a digest of its arrays. It is written atomically.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file

FORMAT = 1

Arrays = dict[str, np.ndarray]
Facts = dict[str, Any]
"""Plain data, as JSON has them."""


def write(path: Path, kind: str, arrays: Arrays, facts: Facts) -> None:
    """Write arrays and facts as one file of a kind, atomically.

    Raises:
        UnwritableError: it cannot be written; the file that was there before is untouched.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    about = {"kind": kind, "format": FORMAT, "digest": _digest(whole), **facts}
    with atomic_file(path) as file:
        file.write(save(whole, {"chunkenv": json.dumps(about)}))


def read(path: Path, kind: str) -> tuple[Arrays, Facts]:
    """The arrays and facts of a file that `write` wrote.

    Raises:
        ArgumentError: there is no such file, it is damaged, or of another kind.
    """
    if not path.is_file():
        raise ArgumentError(f"There is no {kind} {path}; chunkenv train makes one.")
    try:
        with safe_open(path, "numpy") as file:
            about = json.loads((file.metadata() or {}).get("chunkenv", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dictionary)
    except (SafetensorError, OSError, ValueError) as error:
        raise ArgumentError(
            f"{path} is damaged or no checkpoint ({error}); train it again, or copy it anew."
        ) from error
    if about.get("kind") != kind:
        found = about.get("kind") or "a safetensors file of another program"
        raise ArgumentError(f"{path} is no {kind} but {found}; give the path of a {kind}.")
    if about["format"] != FORMAT:
        raise ArgumentError(f"{path} has format {about['format']}, this version reads {FORMAT}: train it again.")
    if about["digest"] != _digest(arrays):
        raise ArgumentError(f"{path} is damaged: its arrays are not those that were written; copy it anew.")
    return arrays, about


def _digest(arrays: Arrays) -> str:
    """A hash of names, types, shapes and contents."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode())
        found.update(arrays[name].tobytes())
    return found.hexdigest()
