"""Checkpoints: safetensors files that say what they are.

A file holds its kind, its facts as JSON, and a digest of its arrays. It is written atomically. One whose name ends in
".xz" is compressed.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file

FORMAT = 1

Arrays = dict[str, np.ndarray]
"""Arrays by their names in a file."""
Facts = dict[str, Any]
"""Plain data, as JSON has them."""


def write(path: Path, kind: str, arrays: Arrays, facts: Facts) -> None:
    """Write arrays and facts as one file of a kind, atomically.

    Raises:
        UnwritableError: it cannot be written; the file that was there before is untouched.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    about = {"kind": kind, "format": FORMAT, "digest": _digest(whole), **facts}
    content = save(whole, {"chunkenv": json.dumps(about)})
    with atomic_file(path) as file:
        file.write(lzma.compress(content, preset=9) if path.suffix == ".xz" else content)


def read(path: Path, kind: str) -> tuple[Arrays, Facts]:
    """The arrays and facts of a file that `write` wrote.

    Raises:
        ArgumentError: there is no such file, it is damaged, or of another kind.
    """
    if not path.is_file():
        raise ArgumentError(f"There is no {kind} {path}; chunkenv train makes one.")
    try:
        content = path.read_bytes()
        content = lzma.decompress(content) if path.suffix == ".xz" else content
        arrays, about = load(content), _about(content)
    except (SafetensorError, lzma.LZMAError, OSError, ValueError) as error:
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


def kind_of(path: Path) -> str:
    """The kind of a file that `write` wrote, without compression; an empty string for any other."""
    try:
        return str(_about(path.read_bytes()).get("kind", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _about(content: bytes) -> Facts:
    """What the header of a safetensors file, which `load` has found sound, says of it."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length]).get("__metadata__", {}).get("chunkenv", "{}"))


def _digest(arrays: Arrays) -> str:
    """A hash of names, types, shapes and contents."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode())
        found.update(arrays[name].tobytes())
    return found.hexdigest()
