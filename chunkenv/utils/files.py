"""Files that are written atomically, and the sentence for what cannot be written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chunkenv.errors import UnwritableError

PARTIAL = ".partial"


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write: after the block it is complete, under its name, on the disk; after an error it is as before.

    Raises:
        UnwritableError: it cannot be written, for example because the disk is full.
    """
    with atomic_path(path) as partial, partial.open("wb") as file:
        yield file


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """The same, for what writes a file by its name: the path at which the block writes it.

    Raises:
        UnwritableError: it cannot be written, for example because the disk is full.
    """
    # Two processes that write the same file must not write into one another's.
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """A block that writes to a file, or into a folder; an error of the system becomes one sentence.

    Raises:
        UnwritableError: it cannot be written, for example because the disk is full.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UnwritableError(f"{path} cannot be written ({reason}); make room, or choose another folder.") from error
