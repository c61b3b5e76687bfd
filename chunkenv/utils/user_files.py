"""Python files of users: a study, a policy, written as `FILE.py:NAME`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from chunkenv.errors import ArgumentError


def split_name(path: Path) -> tuple[Path, str]:
    """A file and the name of something in it, empty if none is given.

    >>> [name for _, name in (split_name(Path("studies.py")), split_name(Path("studies.py:fast")))]
    ['', 'fast']
    """
    file, suffix, name = str(path).partition(".py:")
    return Path(file + ".py" * bool(suffix)), name


def import_file(path: Path) -> ModuleType:
    """A file as a module, imported from its folder, as a script would be: it may import its neighbours.

    Raises:
        ArgumentError: if its name cannot be a module's, or is another module's; what the file raises is passed on.
    """
    path, name = path.resolve(), path.stem
    if not name.isidentifier():
        raise ArgumentError(f"{path.name} cannot be imported by its name; use letters, digits and underscores in it.")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    if Path(getattr(module, "__file__", None) or "").resolve() != path:
        raise ArgumentError(f"{path.name} has the name of another module, {name!r}; rename the file.")
    return module


@dataclass(frozen=True)
class MadeInFile:
    """What a function or class in a file of a user makes, wherever it is called: to other processes goes its name.

    Args:
        place: `FILE.py:NAME`.

    Raises:
        ArgumentError: if there is no such file, or no name is given.
    """

    place: Path

    def __post_init__(self) -> None:
        if not self.file.is_file() or not self.name:
            raise ArgumentError(
                f"{str(self.place)!r} is not FILE.py:NAME, a Python file and a function in it; give both."
            )
        object.__setattr__(self, "place", Path(f"{self.file.resolve()}:{self.name}"))

    @property
    def file(self) -> Path:
        """The file."""
        return split_name(self.place)[0]

    @property
    def name(self) -> str:
        """The name in the file."""
        return split_name(self.place)[1]

    def load(self) -> Callable[..., Any]:
        """Import the file: the function or class itself.

        Raises:
            ArgumentError: if there is no such function. What the file itself raises is passed on.
        """
        make: object = getattr(import_file(self.file), self.name, None)
        if not callable(make):
            raise ArgumentError(
                f"{self.file.name} has no function {self.name!r}; write one of that name, or give another name."
            )
        return make

    def __call__(self, *arguments: Any) -> Any:
        """Import the file and call its function."""
        return self.load()(*arguments)
