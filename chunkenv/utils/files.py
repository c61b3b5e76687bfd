"""Files that are there whole or not at all, and what is said when they cannot be."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chunkenv.errors import UnwritableError

PARTIAL = ".partial"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which is under its name, and on the disk, once the block has ended, or not at all.

    Raises:
        UnwritableError: it cannot be written, for example because the disk is full.
    """
    # Two processes that write the same file must not write into one another's.
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block that writes to a file, or into a folder; what the system says against it becomes one sentence.

    Raises:
        UnwritableError: it cannot be written, for example because the disk is full.
    """
    try:
        yield
    except OSError as error:
        said = error.strerror or error
        raise UnwritableError(f"{path} cannot be written ({said}); make room, or choose another folder.") from error
