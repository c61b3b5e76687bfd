"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from chunkenv.errors import ArgumentError


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it there.

    Raises:
        ArgumentError: if it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        os.replace(partial, path)
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written ({error.strerror}); choose another folder.") from error
