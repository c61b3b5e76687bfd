"""Python files of users: a study, a policy, written as `FILE.py:NAME`."""

from __future__ import annotations

import importlib
import sys
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
    """What a function in a file of a user makes, wherever it is called: it goes to other processes as its name.

    Args:
        place: `FILE.py:NAME`, a function without arguments.

    Raises:
        ArgumentError: if there is no such file, or no name is given.
    """

    place: Path

    def __post_init__(self) -> None:
        file, name = split_name(self.place)
        if not file.is_file() or not name:
            raise ArgumentError(
                f"{str(self.place)!r} is not FILE.py:NAME, a Python file and a function in it; give both."
            )
        object.__setattr__(self, "place", Path(f"{file.resolve()}:{name}"))

    def __call__(self) -> Any:
        """Import the file and call its function.

        Raises:
            ArgumentError: if there is no such function. What the file itself raises is passed on.
        """
        file, name = split_name(self.place)
        make: object = getattr(import_file(file), name, None)
        if not callable(make):
            raise ArgumentError(f"{file.name} has no function {name!r}; write `def {name}(): return ...` in it.")
        return make()
