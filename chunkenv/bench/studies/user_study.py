"""A study of your own: a Python file with a `study`, with `make_study()`, or with several of these."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from chunkenv.bench.run.block_queue import StudyError
from chunkenv.bench.study import Study
from chunkenv.errors import ArgumentError, ChunkenvError, brief
from chunkenv.utils.user_files import import_file, split_name

T = TypeVar("T")


def load_study(path: Path) -> Study:
    """The study in a file.

    The file is imported as a module from its folder, as a script would be: it may import its neighbours, and worker
    processes can import it. Of several studies one is chosen by its name: `studies.py:name`, an object or a function
    that makes it.

    Raises:
        ArgumentError: if there is no such file, its name cannot be a module's, or there is no study in it.
        StudyError: if it cannot be imported; with the traceback.
    """
    path, name = split_name(path)
    if not path.is_file() or path.suffix != ".py":
        raise ArgumentError(f"{path} is no Python file; give one with a `study` or with make_study().")
    module = call_of_file(path, lambda: import_file(path))
    name = name or ("make_study" if callable(getattr(module, "make_study", None)) else "study")
    found = getattr(module, name, None)
    study = call_of_file(path, found) if callable(found) else found
    if not isinstance(study, Study):
        what = f"{name}() returns" if callable(found) else f"`{name}` is"
        raise ArgumentError(f"{path} has no study: {what} {brief(study)}; make it a chunkenv.bench.Study.")
    return study


def call_of_file(path: Path, function: Callable[[], T]) -> T:
    """What a function of a user's file returns; what it raises is reported as the file's mistake.

    Raises:
        StudyError: it raised something else than an error of chunkenv; with the traceback.
    """
    try:
        return function()
    except ChunkenvError:
        raise
    except Exception as error:
        raise StudyError(f"{path} failed: {type(error).__name__}: {error}", traceback.format_exc()) from error
